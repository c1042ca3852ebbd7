import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { PlatformError, Secret } from '@plinth/base'
import type { KeyStore } from './key-store.ts'
import type { StoredKey } from './signing-key.ts'

const filePattern = /^keys\.(\d{10})\.json$/
const fileBytesMax = 1_048_576
const attemptsMax = 100

interface Edition {
  readonly number: number
  readonly keys: readonly StoredKey[]
}

/**
 * Keys in a folder that only the owner may read (folder 0700, files 0600).
 *
 * Every change is a new file, `keys.<edition>.json`, made complete and durable under another name and then linked
 * into place. Linking fails if the edition exists, which is what makes changes of several processes atomic; a crash
 * leaves the edition before or the one after, never half a file. Older editions are emptied.
 *
 * Both methods throw `security.keys_unreadable` (internal) when the newest edition is not what this wrote, and leave
 * it alone.
 */
export function createFileKeyStore({ folder }: { readonly folder: string }): KeyStore {
  async function newest(): Promise<Edition> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const number = Math.max(0, ...(await editionsOf(folder)))
      if (number === 0) return { number, keys: [] }
      const text = await readFile(fileOf(folder, number), 'utf8')
      // Empty: another process has just replaced it, so there is a newer one.
      if (text !== '') return { number, keys: parseKeys(text) }
    }
    throw unreadable('editions keep changing')
  }

  return {
    load: async () => (await newest()).keys,
    async update(change) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const { number, keys } = await newest()
        const next = change(keys)
        if (!next) return keys
        const draft = join(folder, `draft.${randomBytes(8).toString('hex')}`)
        try {
          await writeDurably(draft, formatKeys(next))
          await link(draft, fileOf(folder, number + 1))
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
          throw error
        } finally {
          await rm(draft, { force: true })
        }
        await syncFolder(folder)
        // Emptied, not removed: were a number free again, a writer that slept meanwhile could take it.
        for (const old of await editionsOf(folder)) if (old <= number) await truncate(fileOf(folder, old))
        return next
      }
      throw unreadable('editions keep changing')
    },
  }
}

function fileOf(folder: string, number: number): string {
  return join(folder, `keys.${String(number).padStart(10, '0')}.json`)
}

async function editionsOf(folder: string): Promise<readonly number[]> {
  try {
    return (await readdir(folder)).flatMap((name) => filePattern.exec(name)?.[1] ?? []).map(Number)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  // Whatever the mask of the process takes away.
  await file.chmod(0o600)
  await file.writeFile(text)
  await file.sync()
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

function formatKeys(keys: readonly StoredKey[]): string {
  return JSON.stringify({ version: 1, keys: keys.map((key) => ({ ...key, d: key.d.reveal() })) })
}

const partPattern = /^[A-Za-z0-9_-]{43}$/

function parseKeys(text: string): readonly StoredKey[] {
  if (text.length > fileBytesMax) throw unreadable('it is too long')
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which may hold a key.
    throw unreadable('it is not JSON')
  }
  const { version, keys } = (read ?? {}) as { version?: unknown; keys?: unknown }
  if (version !== 1 || !Array.isArray(keys)) throw unreadable('it is not a key file of version 1')
  return keys.map((key: Record<string, unknown> | null) => {
    const { kid, x, d, createdAtMs } = key ?? {}
    const isKey = [kid, x, d].every((part) => typeof part === 'string' && partPattern.test(part))
    if (!isKey || !Number.isSafeInteger(createdAtMs)) throw unreadable('a key in it is malformed')
    return { kid: kid as string, x: x as string, d: new Secret(d as string), createdAtMs: createdAtMs as number }
  })
}

function unreadable(why: string): PlatformError {
  return new PlatformError(`Cannot read the signing keys: ${why}`, {
    kind: 'internal',
    code: 'security.keys_unreadable',
  })
}
