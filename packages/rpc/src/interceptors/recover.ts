import { channel } from 'node:diagnostics_channel'
import type { DescMethod } from '@bufbuild/protobuf'
import { fromUnknown, PlatformError } from '@plinth/base'
import { methodName } from '../bind-service.ts'
import type { Interceptor } from '../dispatch.ts'

const unexpected = channel('plinth:rpc:unexpected_error')

/**
 * Makes a fault of anything a handler throws. What nobody foresaw becomes kind `internal` with a message that tells a
 * stranger nothing; the original is announced on `plinth:rpc:unexpected_error` as `{ method, error }`.
 */
export const recoverInterceptor: Interceptor = (method) => ({
  unary: (next) => async (request, context) => {
    try {
      return await next(request, context)
    } catch (error) {
      throw recovered(method, error)
    }
  },
  stream: (next) =>
    async function* recover(requests, context) {
      try {
        yield* next(requests, context)
      } catch (error) {
        throw recovered(method, error)
      }
    },
})

function recovered(method: DescMethod, error: unknown): PlatformError {
  if (unexpected.hasSubscribers && !PlatformError.is(error)) {
    unexpected.publish({ method: methodName(method), error })
  }
  return fromUnknown(error)
}
