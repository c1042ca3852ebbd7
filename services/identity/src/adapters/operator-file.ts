import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { OperatorCredentials } from '../usecases/ports.ts'

/** Writes the first operator's credentials as JSON to a file that only the owner can read (0600), durably. */
export function createOperatorFile(path: string): (credentials: OperatorCredentials) => Promise<void> {
  return async ({ email, password }) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const draft = `${path}.draft`
    {
      await using file = await open(draft, 'w', 0o600)
      await file.chmod(0o600)
      await file.writeFile(`${JSON.stringify({ email, password: password.reveal() }, undefined, 2)}\n`)
      await file.sync()
    }
    await rename(draft, path)
    await using folder = await open(dirname(path), 'r')
    await folder.sync()
  }
}
