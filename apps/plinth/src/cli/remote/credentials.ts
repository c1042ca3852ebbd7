import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { PlatformError } from '@plinth/base'
import { type FileLockDeps, withFileLock } from './file-lock.ts'

/** What is kept of a login. */
export interface Login {
  readonly email: string
  readonly userId: string
  readonly sessionId: string
  readonly accessToken: string
  readonly accessExpiresAtMs: number
  readonly refreshToken: string
  readonly refreshExpiresAtMs: number
}

/** Whose login: a server and a name for those who have several there. */
export interface LoginKey {
  readonly server: string
  readonly name: string
}

/** Keeps logins in a file that only its owner can read. Every change is atomic and seen by parallel commands. */
export interface Credentials {
  readonly path: string
  read(key: LoginKey): Promise<Login | undefined>
  /**
   * Replaces a login by what `change` makes of it, while no other command can; `undefined` removes it.
   *
   * @throws PlatformError `plinth.credentials_busy`, `plinth.credentials_broken`.
   */
  update(key: LoginKey, change: (login: Login | undefined) => Promise<Login | undefined>): Promise<Login | undefined>
}

/** `$XDG_CONFIG_HOME/plinth/credentials.json`, or the same under `~/.config`. */
export function credentialsPath(environment: Readonly<Record<string, string | undefined>>): string {
  const configured = environment.XDG_CONFIG_HOME ?? ''
  const base = configured === '' ? join(environment.HOME ?? homedir(), '.config') : configured
  return join(base, 'plinth', 'credentials.json')
}

/** Opens the credentials in the file at `path`; it need not exist. */
export function openCredentials(deps: FileLockDeps, path: string): Credentials {
  return {
    path,
    read: async (key) => (await readFileOf(path)).get(nameOf(key)),
    async update(key, change) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const work = async () => {
        const logins = await readFileOf(path)
        const before = logins.get(nameOf(key))
        const login = await change(before)
        if (login === before) return login
        if (login === undefined) logins.delete(nameOf(key))
        else logins.set(nameOf(key), login)
        await write(path, logins)
        return login
      }
      return await withFileLock(`${path}.lock`, work, deps)
    },
  }
}

function nameOf({ server, name }: LoginKey): string {
  return `${server} ${name}`
}

async function readFileOf(path: string): Promise<Map<string, Login>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw unreadable(path, error)
  }
  return parseCredentials(text, path)
}

/**
 * The logins of the text of a credentials file.
 *
 * @throws PlatformError `plinth.credentials_broken` (precondition) that names the file and what to do.
 */
export function parseCredentials(text: string, path: string): Map<string, Login> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw unreadable(path, error)
  }
  if (!isRecord(value) || value.version !== 1 || !isRecord(value.logins)) throw unreadable(path)
  const logins = new Map<string, Login>()
  for (const [name, login] of Object.entries(value.logins)) {
    if (!isLogin(login)) throw unreadable(path)
    logins.set(name, login)
  }
  return logins
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const texts = ['email', 'userId', 'sessionId', 'accessToken', 'refreshToken'] as const
const times = ['accessExpiresAtMs', 'refreshExpiresAtMs'] as const

function isLogin(value: unknown): value is Login {
  if (!isRecord(value)) return false
  return texts.every((name) => typeof value[name] === 'string') && times.every((name) => Number.isFinite(value[name]))
}

async function write(path: string, logins: ReadonlyMap<string, Login>): Promise<void> {
  const draft = `${path}.${process.pid}.draft`
  {
    await using file = await open(draft, 'w', 0o600)
    await file.chmod(0o600)
    await file.writeFile(`${JSON.stringify({ version: 1, logins: Object.fromEntries(logins) }, null, 2)}\n`)
    await file.sync()
  }
  await rename(draft, path)
}

function unreadable(path: string, cause?: unknown): PlatformError {
  return new PlatformError(
    `Cannot read the credentials: ${path} is not as this program wrote it; remove it and log in`,
    {
      kind: 'precondition',
      code: 'plinth.credentials_broken',
      cause,
    },
  )
}
