import { PlatformError, Secret } from '@plinth/base'
import type { ConfigDefinition } from './define-config.ts'
import { type ConfigLayer, type ConfigProblem, configLayers, type RawDocument, type RawEntry } from './entry.ts'
import type { ConfigField } from './field.ts'
import { resolveReference, type SecretReader } from './secrets.ts'
import { suggest } from './suggest.ts'

/** A value with all the places that gave one, strongest first. */
export interface Origin {
  readonly layer: ConfigLayer
  /** `default` when nobody gave a value. */
  readonly place: string
  /** Places whose values this one hides. */
  readonly hides: readonly string[]
}

/** The whole configuration at one moment: frozen, replaced as a whole. */
export interface Snapshot {
  readonly sections: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  readonly origins: ReadonlyMap<string, Origin>
}

interface Given {
  readonly entry: RawEntry
  readonly value: unknown
}

/**
 * Lays the documents over the defaults, weakest first.
 *
 * @throws PlatformError `kernel.config_invalid` (invalid) with all problems: every unreadable file, unknown key,
 * value out of bounds (also one that a stronger layer hides) and required value that nobody gave.
 */
export async function buildSnapshot(
  deps: { readonly secrets: SecretReader; readonly definitions: readonly ConfigDefinition[] },
  documents: readonly RawDocument[],
): Promise<Snapshot> {
  const problems = documents.flatMap((document) => document.problems)
  const entries = documents.flatMap((document) => document.entries)
  const fields = fieldsOf(deps.definitions)
  const given = new Map<string, Given[]>()
  // Array.sort is stable: within a layer a later document is the stronger one.
  for (const entry of entries.toSorted((a, b) => configLayers.indexOf(a.layer) - configLayers.indexOf(b.layer))) {
    const key = `${entry.section}.${entry.field}`
    const field = fields.get(key)
    const read = field ? await readEntry(field, entry, deps.secrets) : { problem: unknownKey(entry, deps.definitions) }
    if ('problem' in read) problems.push({ key: field ? key : keyOf(entry), place: entry.place, message: read.problem })
    else given.set(key, [{ entry, value: read.value }, ...(given.get(key) ?? [])])
  }
  const invalid = new Set(problems.map(({ key }) => key))
  for (const [key, field] of fields) {
    if (!field.required || given.has(key) || invalid.has(key)) continue
    problems.push({ key, place: '', message: `is required and has no value: ${field.describe}` })
  }
  if (problems.length > 0) throw invalidConfig(problems)
  return assembleSnapshot(deps.definitions, given)
}

function assembleSnapshot(
  definitions: readonly ConfigDefinition[],
  given: ReadonlyMap<string, readonly Given[]>,
): Snapshot {
  const origins = new Map<string, Origin>()
  const sections = new Map<string, Readonly<Record<string, unknown>>>()
  for (const { name: section, fields } of definitions) {
    const values: Record<string, unknown> = Object.create(null)
    for (const [name, field] of Object.entries(fields)) {
      const key = `${section}.${name}`
      const [winner, ...hidden] = given.get(key) ?? []
      values[name] = winner ? winner.value : field.default
      origins.set(key, {
        layer: winner?.entry.layer ?? 'default',
        place: winner?.entry.place ?? 'default',
        hides: hidden.map(({ entry }) => entry.place),
      })
    }
    sections.set(section, Object.freeze(values))
  }
  return { sections, origins }
}

async function readEntry(field: ConfigField<unknown>, entry: RawEntry, secrets: SecretReader) {
  if (entry.isText && typeof entry.raw === 'string') {
    // A flag stands in the list of processes for all to see.
    if (field.kind === 'secret' && entry.layer !== 'environment') return field.parse(entry.raw)
    return field.parseText(entry.raw)
  }
  const resolved = await resolveReference(entry.raw, secrets)
  return 'problem' in resolved ? resolved : field.parse(resolved.value)
}

function unknownKey(entry: RawEntry, definitions: readonly ConfigDefinition[]): string {
  const definition = definitions.find(({ name }) => name === entry.section)
  if (!definition) {
    const near = suggest(
      entry.section,
      definitions.map(({ name }) => name),
    )
    return `is no section of the configuration${near ? `; did you mean ${near}?` : ''}`
  }
  if (entry.field === '') return 'must be a table of fields'
  const near = suggest(entry.field, Object.keys(definition.fields))
  return `is not known${near ? `; did you mean ${entry.section}.${near}?` : ''}`
}

function keyOf({ section, field }: RawEntry): string {
  return field === '' ? section : `${section}.${field}`
}

/** All fields by key, in the order of their definitions. */
export function fieldsOf(definitions: readonly ConfigDefinition[]): ReadonlyMap<string, ConfigField<unknown>> {
  return new Map(
    definitions.flatMap(({ name: section, fields }) =>
      Object.entries(fields).map(([name, field]) => [`${section}.${name}`, field] as const),
    ),
  )
}

/** Whether two values of a field are the same; secrets by what they hold. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret) return a.reveal() === b.reveal()
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => item === b[at])
  return Object.is(a, b)
}

const problemsShownMax = 200

function invalidConfig(problems: readonly ConfigProblem[]): PlatformError {
  const shown = problems.slice(0, problemsShownMax)
  const lines = shown.map(
    ({ key, place, message }) => `${[key, place && `(${place})`].filter(Boolean).join(' ')} ${message}`,
  )
  const more = problems.length > shown.length ? `\n  and ${problems.length - shown.length} more` : ''
  return new PlatformError(`Cannot read the configuration:\n  ${lines.join('\n  ')}${more}`, {
    kind: 'invalid',
    code: 'kernel.config_invalid',
    details: { problems: shown.map((problem) => ({ ...problem })) },
  })
}
