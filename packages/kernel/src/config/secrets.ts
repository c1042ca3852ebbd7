import { readFile, stat } from 'node:fs/promises'
import { Secret } from '@plinth/base'
import { isTable } from './entry.ts'
import type { Parsed } from './field.ts'

/** Reads secrets by reference. Answers the text, or why there is none; never the text inside a reason. */
export interface SecretReader {
  read(reference: SecretReference): Promise<Parsed<string>>
}

/** Where a secret lies: the kinds of stores are keys, so that others can join. */
export type SecretReference = { readonly file: string } | { readonly env: string }

const secretBytesMax = 65_536

/** Secrets in files (one line end at the end is not part of them; up to 64 KiB) and in variables. */
export function createSecretReader(environment: Readonly<Record<string, string | undefined>>): SecretReader {
  return {
    async read(reference) {
      if ('file' in reference) return await readSecretFile(reference.file)
      const value = environment[reference.env]
      return value === undefined ? { problem: `refers to the variable ${reference.env}, which is not set` } : { value }
    },
  }
}

async function readSecretFile(path: string): Promise<Parsed<string>> {
  try {
    const { size } = await stat(path)
    if (size > secretBytesMax) return { problem: `refers to ${path}, which has more than ${secretBytesMax} bytes` }
    return { value: (await readFile(path, 'utf8')).replace(/\r?\n$/, '') }
  } catch (error) {
    return { problem: `refers to ${path}, which cannot be read: ${(error as NodeJS.ErrnoException).code}` }
  }
}

/** Puts the secret in place of a reference; every other value stays what it is. */
export async function resolveReference(raw: unknown, reader: SecretReader): Promise<Parsed<unknown>> {
  if (!isTable(raw) || !Object.hasOwn(raw, '$secret')) return { value: raw }
  const reference = raw.$secret
  if (Object.keys(raw).length === 1 && isTable(reference) && Object.keys(reference).length === 1) {
    const { file, env } = reference
    const read =
      typeof file === 'string' ? reader.read({ file }) : typeof env === 'string' ? reader.read({ env }) : undefined
    if (read) {
      const found = await read
      return 'problem' in found ? found : { value: new Secret(found.value) }
    }
  }
  return { problem: 'must be { "$secret": { "file": "…" } } or { "$secret": { "env": "…" } }' }
}
