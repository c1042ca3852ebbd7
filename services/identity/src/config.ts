import { choice, defineConfig, durationMs, integer, string } from '@plinth/kernel'
import type { Settings } from './usecases/ports.ts'

/** What can be set about identity. */
export const identityConfig = defineConfig(
  'identity',
  {
    accessLifetimeMs: durationMs({
      default: '10m',
      min: '30s',
      max: '24h',
      restart: true,
      describe: 'Life of an access token, and so the longest a revocation must be remembered',
    }),
    sessionIdleMs: durationMs({ default: '14d', min: '1m', max: '365d', describe: 'An unused session ends after' }),
    sessionLifetimeMs: durationMs({ default: '90d', min: '1m', max: '730d', describe: 'Every session ends after' }),
    refreshGraceMs: durationMs({
      default: '30s',
      min: '0s',
      max: '10m',
      describe: 'How long an exchanged refresh token gets the same successor again; later it counts as stolen',
    }),
    sessionsMax: integer({
      default: 50,
      min: 1,
      max: 1000,
      describe: 'Sessions of one user; one more ends the oldest',
    }),
    verification: choice({
      of: ['required', 'optional'],
      default: 'required',
      describe: 'Whether an address must be verified before the first login',
    }),
    verificationLifetimeMs: durationMs({ default: '24h', min: '5m', max: '30d', describe: 'Life of a mailed token' }),
    accountFailuresFree: integer({
      default: 10,
      min: 1,
      max: 100,
      describe: 'Failed logins of an account before it waits',
    }),
    addressFailuresFree: integer({
      default: 100,
      min: 1,
      max: 100_000,
      describe: 'Failed logins from a network address before it waits',
    }),
    lockoutMaxMs: durationMs({ default: '15m', min: '1s', max: '24h', describe: 'Longest wait after failed logins' }),
    mailsFree: integer({ default: 5, min: 1, max: 100, describe: 'Mails to one address within an hour' }),
    hashConcurrency: integer({
      default: 2,
      min: 1,
      max: 4,
      restart: true,
      describe: 'Passwords hashed at once, of the four threads that files use too',
    }),
    hashQueueMax: integer({
      default: 64,
      min: 0,
      max: 10_000,
      restart: true,
      describe: 'Passwords that wait for that',
    }),
    keyRotationMs: durationMs({
      default: '30d',
      min: '1h',
      max: '365d',
      restart: true,
      describe: 'Age of a signing key',
    }),
    operatorEmail: string({
      default: 'operator@plinth.localhost',
      charsMin: 3,
      charsMax: 254,
      describe: 'Address of the operator made at the first start',
    }),
  },
  { describe: 'Accounts, sessions and tokens' },
)

export type IdentityConfig = NonNullable<(typeof identityConfig)['value']>

const hourMs = 3_600_000

/** The settings of the use cases as the configuration says. */
export function settingsOf(config: IdentityConfig): Settings {
  const pauses = { pauseMinMs: 1000, pauseMaxMs: config.lockoutMaxMs, forgetAfterMs: 24 * hourMs }
  return {
    session: {
      idleMs: config.sessionIdleMs,
      lifetimeMs: config.sessionLifetimeMs,
      graceMs: config.refreshGraceMs,
    },
    sessionsMax: config.sessionsMax,
    accountThrottle: { free: config.accountFailuresFree, ...pauses },
    addressThrottle: { free: config.addressFailuresFree, ...pauses },
    mailThrottle: { free: config.mailsFree, pauseMinMs: hourMs, pauseMaxMs: hourMs, forgetAfterMs: hourMs },
    verificationMs: config.verificationLifetimeMs,
    verification: config.verification,
    accessMs: config.accessLifetimeMs,
  }
}
