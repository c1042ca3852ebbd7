import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Clock, PlatformError, type Secret } from '@plinth/base'

/** How strict a signer is about time. */
export interface WebhookSignerOptions {
  /** How far the time in a signature may be from now, both ways: 1,000 to 3,600,000 ms. @default 300000 */
  readonly toleranceMs?: number
}

/** Signs what is sent to a webhook, and checks what came in at one. */
export interface WebhookSigner {
  /** The value of the signature header: `t=<seconds>,v1=<HMAC-SHA256 in hex>`, made with the first secret. */
  sign(body: Uint8Array): string
  /**
   * Accepts a body signed with any of the secrets, inside the tolerance. A repeated delivery passes: telling repeats
   * apart is the receiver's inbox.
   *
   * @throws PlatformError kind unauthenticated: `security.signature_malformed`, `security.signature_wrong`,
   * `security.signature_stale`.
   */
  verify(body: Uint8Array, signature: string | undefined): void
}

const secretBytesMin = 16
const secretsMax = 8
const headerCharsMax = 1024

/**
 * Makes a signer. Give the new secret first and the old ones after it while senders change over.
 *
 * @throws RangeError without secrets, with more than 8, or with one shorter than 16 bytes.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { Secret, systemClock } from '@plinth/base'
 * import { createWebhookSigner } from '@plinth/security'
 *
 * const signer = createWebhookSigner({ clock: systemClock, secrets: [new Secret('a secret of 16 bytes or more')] })
 * const body = new TextEncoder().encode('{"paid":true}')
 * signer.verify(body, signer.sign(body))
 * assert.throws(() => signer.verify(new Uint8Array(1), signer.sign(body)), { code: 'security.signature_wrong' })
 * ```
 */
export function createWebhookSigner(
  deps: { readonly clock: Clock; readonly secrets: readonly Secret[] },
  options: WebhookSignerOptions = {},
): WebhookSigner {
  const toleranceMs = options.toleranceMs ?? 300_000
  if (!(toleranceMs >= 1000 && toleranceMs <= 3_600_000)) {
    throw new RangeError(`Cannot sign webhooks: toleranceMs is from 1000 to 3600000, received ${toleranceMs}`)
  }
  const { secrets, clock } = deps
  if (secrets.length < 1 || secrets.length > secretsMax) {
    throw new RangeError(`Cannot sign webhooks: 1 to ${secretsMax} secrets are needed, received ${secrets.length}`)
  }
  for (const secret of secrets) {
    if (Buffer.byteLength(secret.reveal()) < secretBytesMin) {
      throw new RangeError(`Cannot sign webhooks: a secret is shorter than ${secretBytesMin} bytes`)
    }
  }
  const [current] = secrets as readonly [Secret, ...Secret[]]
  return {
    sign(body) {
      const seconds = Math.floor(clock.nowMs() / 1000)
      return `t=${seconds},v1=${digest(current, seconds, body).toString('hex')}`
    },
    verify(body, signature) {
      const { seconds, digests } = parseSignature(signature)
      const isOurs = secrets.some((secret) => {
        const expected = digest(secret, seconds, body)
        return digests.some((given) => timingSafeEqual(given, expected))
      })
      if (!isOurs) throw refused('signature_wrong', 'no signature matches')
      // Only after the signature: the time of a stranger's message means nothing.
      if (Math.abs(clock.nowMs() - seconds * 1000) > toleranceMs) {
        throw refused('signature_stale', `its time is more than ${toleranceMs} ms from now`)
      }
    },
  }
}

function digest(secret: Secret, seconds: number, body: Uint8Array): Buffer {
  return createHmac('sha256', secret.reveal()).update(`${seconds}.`).update(body).digest()
}

const timePattern = /^t=(\d{1,12})$/
const digestPattern = /^v1=([0-9a-f]{64})$/

function parseSignature(signature: string | undefined): { seconds: number; digests: readonly Buffer[] } {
  if (!signature || signature.length > headerCharsMax) throw refused('signature_malformed', 'there is no signature')
  const parts = signature.split(',')
  const times = parts.flatMap((part) => timePattern.exec(part)?.[1] ?? [])
  const digests = parts.flatMap((part) => digestPattern.exec(part)?.[1] ?? [])
  if (times.length !== 1 || digests.length === 0)
    throw refused('signature_malformed', 'it lacks its time or its digest')
  return { seconds: Number(times[0]), digests: digests.map((hex) => Buffer.from(hex, 'hex')) }
}

function refused(what: string, why: string): PlatformError {
  return new PlatformError(`Cannot accept a webhook: ${why}`, { kind: 'unauthenticated', code: `security.${what}` })
}
