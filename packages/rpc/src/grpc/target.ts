import { type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { methodName } from '../bind-service.ts'
import { compileCopy } from '../copy-message.ts'
import { invalidRequest } from '../interceptors/validation.ts'
import { compileTextCheck } from '../validate/compile-validator.ts'
import { asBuffer, malformed, plainBytes } from './message-stream.ts'

/** A method as a client calls it, made once. */
export interface Target {
  readonly name: string
  readonly path: string
  readonly encode: (request: unknown) => Buffer
  readonly decode: (bytes: Buffer) => Message
}

export function makeTarget(method: DescMethod, answerBytesMax = 16 * 1024 * 1024): Target {
  const name = methodName(method)
  const copy = compileCopy(method.input)
  const checkText = compileTextCheck(method.input)
  return {
    name,
    path: `/${name}`,
    encode(request) {
      const message = copy(request)
      // Encoding would put U+FFFD in place of a lone surrogate, and the server could not tell any more.
      const violations = checkText(message)
      if (violations) throw invalidRequest(name, violations)
      return asBuffer(toBinary(method.input, message))
    },
    decode(bytes) {
      if (bytes.byteLength > answerBytesMax) throw answerTooLarge(name, answerBytesMax)
      try {
        return fromBinary(method.output, plainBytes(bytes))
      } catch (error) {
        throw malformed(`the answer of ${name}`, error)
      }
    },
  }
}

function answerTooLarge(name: string, bytesMax: number): PlatformError {
  return new PlatformError(`Cannot take the answer of ${name}: it has more than ${bytesMax} bytes`, {
    kind: 'exhausted',
    code: 'rpc.answer_too_large',
    retryable: false,
  })
}
