import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Random, Secret } from '@plinth/base'

const secretBytes = 48
const secretChars = secretBytes * (4 / 3)

/**
 * The secret by which the processes of one shop know each other: the configured one, or the one in the data folder,
 * made there on first use and readable by its owner only.
 */
export async function readClusterSecret(
  configured: Secret | undefined,
  place: { readonly dir: string; readonly random: Random },
): Promise<Secret> {
  if (configured) return configured
  await mkdir(place.dir, { recursive: true })
  const path = join(place.dir, 'cluster.secret')
  const known = await readSecret(path)
  if (known) return known
  await makeSecret(path, place.random)
  const made = await readSecret(path)
  if (made) return made
  throw new Error(`Cannot read the cluster secret: ${path} vanished while it was read`)
}

async function readSecret(path: string): Promise<Secret | undefined> {
  try {
    const text = await readFile(path, 'utf8')
    if (text.length >= secretChars) return new Secret(text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  throw new Error(`Cannot read the cluster secret: ${path} is cut short; remove it and start again`)
}

/** The file appears under its name with its content, or not at all, whenever the process dies and whoever else makes one. */
async function makeSecret(path: string, random: Random): Promise<void> {
  const fresh = Buffer.from(random.fill(new Uint8Array(secretBytes))).toString('base64url')
  const draft = `${path}.${random.int(2 ** 32).toString(16)}`
  try {
    {
      await using file = await open(draft, 'wx', 0o600)
      await file.writeFile(fresh)
      await file.sync()
    }
    await link(draft, path)
    await using folder = await open(join(path, '..'), 'r')
    await folder.sync()
  } catch (error) {
    // Another process was quicker: its secret is the one.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await unlink(draft).catch(() => {})
  }
}
