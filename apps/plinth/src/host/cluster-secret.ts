import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Random, Secret } from '@plinth/base'

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
  const fresh = Buffer.from(place.random.fill(new Uint8Array(48))).toString('base64url')
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(fresh)
    await file.sync()
    return new Secret(fresh)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  // Another process made it first, perhaps this very moment: its content may follow the name by an instant.
  for (let attempt = 0; attempt < 100; attempt++) {
    const text = await readFile(path, 'utf8')
    if (text.length >= fresh.length) return new Secret(text)
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`Cannot read the cluster secret: ${path} is empty; remove it and start again`)
}
