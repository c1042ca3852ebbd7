import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createIds, createSystemRandom, Secret, systemClock } from '@plinth/base'
import { createAccessTokenSigner, createFileKeyStore, createServiceTokens, openKeyRing } from '@plinth/security'
import { eventually } from './eventually.ts'
import type { Rest } from './rest.ts'

/** Somebody who is signed in. */
export interface Person {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly token: string
  readonly refreshToken: string
  readonly sessionId: string
}

export const goodPassword = 'correct-horse-battery-staple'

/** Signs in. */
export async function login(rest: Rest, credentials: { readonly email: string; readonly password: string }) {
  const answer = await rest('/v1/auth/login', { json: credentials })
  assert.equal(answer.status, 200, answer.text)
  const { userId, accessToken, refreshToken, sessionId } = answer.json
  return { ...credentials, id: userId, token: accessToken, refreshToken, sessionId } as Person
}

/** The operator that the first start made, by the credentials in the data folder. */
export async function loginOperator(rest: Rest, dir: string): Promise<Person> {
  return await login(rest, JSON.parse(await readFile(join(dir, 'operator.json'), 'utf8')))
}

/** Opens an account with `identity.verification=optional` and signs in. */
export async function signUp(rest: Rest, email = `${randomUUID()}@example.com`, password = goodPassword) {
  const answer = await rest('/v1/auth/register', { json: { email, password, displayName: 'Ada' } })
  assert.equal(answer.status, 200, answer.text)
  return await login(rest, { email, password })
}

/** The token that was mailed to this address last; waits for the mail, which is sent apart from the call. */
export async function mailedToken(dir: string, email: string): Promise<string> {
  const folder = join(dir, 'mail')
  const look = async () => {
    const names = await readdir(folder).catch(() => [])
    for (const name of names
      .filter((each) => each.endsWith('.eml'))
      .sort()
      .reverse()) {
      const mail = await readFile(join(folder, name), 'utf8')
      const token = mail.includes(`<${email}>`) ? /^([A-Za-z0-9_-]{20,})\r?$/m.exec(mail)?.[1] : undefined
      if (token !== undefined) return { token }
    }
    return 'no mail'
  }
  return (await eventually(look, { what: `a mail to ${email}`, timeoutMs: 10_000 })).token
}

/** Who a minted token is for. */
export interface Claims {
  readonly subject?: string
  readonly roles?: readonly string[]
  readonly issuedAtMs?: number
}

/**
 * Signs access tokens with the shop's own key: buyers by the dozen without a password to hash for each, and tokens
 * that are expired. Signing up itself is tested elsewhere.
 */
export async function openMint(dir: string) {
  const keys = await openKeyRing({ store: createFileKeyStore({ folder: join(dir, 'keys') }), clock: systemClock })
  const signer = createAccessTokenSigner({ keys })
  return {
    async token({ subject = randomUUID(), roles = ['customer'], issuedAtMs = Date.now() }: Claims = {}) {
      const claims = { subject, roles, issuedAtMs, sessionId: randomUUID(), tokenId: randomUUID() }
      return (await signer.sign(claims)).token.reveal()
    },
    [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose](),
  }
}

/** A token as the processes of a shop show each other. */
export async function serviceToken(dir: string): Promise<string> {
  const secret = new Secret(await readFile(join(dir, 'cluster.secret'), 'utf8'))
  const ids = createIds({ clock: systemClock, random: createSystemRandom() })
  const tokens = createServiceTokens({ secret, clock: systemClock, ids }, { lifetimeMs: 3_600_000 })
  return (await tokens.issue('tests')).reveal()
}
