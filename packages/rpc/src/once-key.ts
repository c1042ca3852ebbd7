import { hash } from 'node:crypto'
import { type Message, toBinary } from '@bufbuild/protobuf'
import type { CallContext } from './call.ts'

/** What tells a repeated command from a new one. */
export interface OnceKey {
  /** Method and caller, so that keys of different people or methods never meet. */
  readonly scope: string
  readonly key: string
  /** A digest of the request: the same key with another request is a mistake of the caller. */
  readonly fingerprint: string
}

/** The idempotency of a call, ready to be stored; `undefined` when the caller sent no key. */
export function onceKey(context: CallContext, request: Message): OnceKey | undefined {
  const key = context.idempotencyKey
  if (key === undefined) return undefined
  // Field order in the binary form is fixed by the schema, so equal requests have equal digests.
  const fingerprint = hash('sha256', toBinary(context.method.input, request), 'base64url')
  return { scope: `${context.method.name}:${context.principal?.id ?? ''}`, key, fingerprint }
}
