import type { Finding, Rule } from '../tree.ts'

const path = 'package-lock.json'

interface Entry {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * The lock file works on every machine: it names no host, and it holds the optional packages of all platforms, which
 * npm drops when it installs into an old node_modules or when the registry lacks one; `npm ci` then refuses it.
 */
export const lockFileRule: Rule = {
  name: 'lock file',
  *check(tree) {
    const text = tree.files.get(path)?.text
    if (text !== undefined) {
      const { packages = {} } = JSON.parse(text) as { packages?: Record<string, Entry> }
      for (const [at, entry] of Object.entries(packages)) yield* checkEntry(packages, at, entry)
    }
    for (const file of tree.files.values()) {
      if (!/(^|\/)package\.json$/.test(file.path) || file.path.includes('fixtures/')) continue
      for (const [name, version] of declared(file.text)) {
        if (/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) continue
        yield { path: file.path, line: 1, message: `${name} is "${version}"; write the exact version` }
      }
    }
  },
}

function* checkEntry(packages: Readonly<Record<string, Entry>>, at: string, entry: Entry): Iterable<Finding> {
  if (entry.resolved !== undefined && /^[a-z+]+:/.test(entry.resolved)) {
    const message = `${at} names where it was fetched; keep omit-lockfile-registry-resolved=true in .npmrc and install anew`
    yield { path, line: 1, message }
  }
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (packages[`${at}/node_modules/${name}`] || packages[`node_modules/${name}`]) continue
    const message =
      `${name}, an optional package of ${at || 'the root'}, is missing, so npm ci fails; remove package-lock.json and ` +
      'node_modules and install anew, or choose a version that is published for all platforms'
    yield { path, line: 1, message }
  }
}

function declared(text: string): readonly (readonly [string, string])[] {
  const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>
  const fields = ['dependencies', 'devDependencies', 'optionalDependencies']
  return fields.flatMap((field) => Object.entries(manifest[field] ?? {}))
}
