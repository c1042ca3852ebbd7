import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PlatformError } from '@plinth/base'

const templates = join(import.meta.dirname, '..', '..', 'skeleton')

/** One word: it becomes a package of proto, a name in TypeScript, a file and a schema of PostgreSQL. */
const namePattern = /^[a-z][a-z0-9]{1,29}$/

/** Words that are something else in one of these places. */
const reserved = new Set([
  'google',
  'plinth',
  'buf',
  'grpc',
  'package',
  'message',
  'service',
  'import',
  'export',
  'class',
])

/**
 * Writes the skeleton of a service to services/`name` and answers its files.
 *
 * @throws PlatformError `plinth.service_name_invalid` (invalid), `plinth.service_exists` (exists),
 * `plinth.not_a_working_copy` (precondition). Then nothing was written.
 */
export async function writeSkeleton(root: string, name: string): Promise<readonly string[]> {
  if (!namePattern.test(name) || reserved.has(name)) {
    throw new PlatformError(`Cannot name a service "${name}": say one word of 2 to 30 letters and digits, as parcels`, {
      kind: 'invalid',
      code: 'plinth.service_name_invalid',
    })
  }
  if (!existsSync(join(root, 'buf.yaml')) || !existsSync(join(root, 'services'))) {
    throw new PlatformError(`Cannot write a service: ${root} is no working copy of Plinth`, {
      kind: 'precondition',
      code: 'plinth.not_a_working_copy',
    })
  }
  const folder = join(root, 'services', name)
  if (existsSync(folder)) {
    throw new PlatformError(`Cannot write the service: services/${name} is there already`, {
      kind: 'exists',
      code: 'plinth.service_exists',
    })
  }
  const files: string[] = []
  const names = await readdir(templates, { recursive: true })
  for (const template of names.filter((each) => each.endsWith('.txt')).sort()) {
    const path = join(folder, fill(template.slice(0, -'.txt'.length), name))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, fill(await readFile(join(templates, template), 'utf8'), name), { flag: 'wx' })
    files.push(path.slice(root.length + 1))
  }
  return files
}

function fill(text: string, name: string): string {
  return text.replaceAll('__name__', name).replaceAll('__Name__', `${name[0]?.toUpperCase()}${name.slice(1)}`)
}
