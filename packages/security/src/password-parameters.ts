import { PlatformError } from '@plinth/base'

/** What an argon2id hash costs. The defaults are the first recommendation of OWASP's password storage sheet. */
export interface PasswordParameters {
  /** Memory in KiB: 8,192 to 1,048,576. @default 19456 */
  readonly memoryKib: number
  /** Passes over the memory: 1 to 20. @default 2 */
  readonly passes: number
  /** Lanes: 1 to 16. @default 1 */
  readonly parallelism: number
}

/** An argon2id hash with all that is needed to compute it again. */
export interface PasswordHash {
  readonly parameters: PasswordParameters
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** What a hash costs unless said otherwise: about 50 ms of one core. */
export const defaultPasswordParameters: PasswordParameters = Object.freeze({
  memoryKib: 19_456,
  passes: 2,
  parallelism: 1,
})

const bounds = { memoryKib: [8192, 1_048_576], passes: [1, 20], parallelism: [1, 16] } as const

/** Says which parameters are out of bounds; empty when all are fine. */
export function parameterProblems(parameters: PasswordParameters): readonly string[] {
  return Object.entries(bounds).flatMap(([name, [min, max]]) => {
    const value = parameters[name as keyof PasswordParameters]
    return Number.isInteger(value) && value >= min && value <= max
      ? []
      : [`${name} is an integer from ${min} to ${max}, received ${value}`]
  })
}

/** Writes the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, base64 without padding. */
export function formatPasswordHash({ parameters, salt, hash }: PasswordHash): string {
  const { memoryKib, passes, parallelism } = parameters
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${encode(salt)}$${encode(hash)}`
}

const pattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/**
 * Reads a PHC string of argon2id version 19. A stored hash cannot ask for more work than the bounds allow.
 *
 * @throws PlatformError `security.hash_malformed` (internal): what is stored is not such a hash.
 */
export function parsePasswordHash(text: string): PasswordHash {
  const match = text.length <= 256 ? pattern.exec(text) : null
  if (!match) throw malformed('it is not an argon2id PHC string')
  const [, memory, passes, parallelism, salt, hash] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const parameters = { memoryKib: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  const problems = parameterProblems(parameters)
  if (problems.length > 0) throw malformed(problems.join('; '))
  return { parameters, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

function malformed(why: string): PlatformError {
  return new PlatformError(`Cannot read a password hash: ${why}`, { kind: 'internal', code: 'security.hash_malformed' })
}
