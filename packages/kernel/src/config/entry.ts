/** Where values come from, weakest first. */
export const configLayers = ['default', 'file', 'environment', 'flag', 'runtime'] as const
/** A layer of the configuration, from `default` (weakest) to `runtime` (strongest). */
export type ConfigLayer = (typeof configLayers)[number]

/** One value as somebody wrote it, before the schema has seen it. */
export interface RawEntry {
  readonly section: string
  /** Empty for a section whose value is no table. */
  readonly field: string
  readonly raw: unknown
  /** For people: `plinth.yaml:12`, `PLINTH_ORDERS__LINES_MAX`, `--set orders.linesMax=5`. */
  readonly place: string
  readonly layer: ConfigLayer
  /** Whether `raw` is text to be read by the field, as in variables and flags. */
  readonly isText: boolean
}

/** One thing wrong with the configuration. */
export interface ConfigProblem {
  /** `orders.linesMax`; empty for a file that cannot be read at all. */
  readonly key: string
  readonly place: string
  readonly message: string
}

/** What a source holds: values, and what could not be read. */
export interface RawDocument {
  readonly entries: readonly RawEntry[]
  readonly problems: readonly ConfigProblem[]
}

/**
 * Where a layer of configuration comes from: a file now; a store over the network fits the same port. It is asked at
 * start and at every reload, one call at a time.
 */
export interface ConfigSource {
  /** For people: the path, the address. */
  readonly name: string
  /** Reads all of it. What cannot be read is a problem in the answer, not an exception. */
  read(signal: AbortSignal): Promise<RawDocument>
  /** Calls back after every change, at the earliest when it is whole; disposing the answer ends it. */
  watch?(onChange: () => void): Disposable
}

/**
 * Entries of a parsed document, whose top level are sections and whose second level are fields; `placeOf` knows the
 * lines.
 */
export function entriesOf(
  root: unknown,
  placeOf: (section: string, field: string) => string,
  layer: ConfigLayer,
): RawDocument {
  if (root === null || root === undefined) return { entries: [], problems: [] }
  if (!isTable(root))
    return { entries: [], problems: [{ key: '', place: placeOf('', ''), message: 'must be a table of sections' }] }
  const entries: RawEntry[] = []
  for (const [section, fields] of Object.entries(root)) {
    // Editors find the schema of a file by this key.
    if (section === '$schema') continue
    if (!isTable(fields)) {
      // A section with nothing in it is null in YAML, and says nothing.
      if (fields !== null)
        entries.push({ section, field: '', raw: fields, place: placeOf(section, ''), layer, isText: false })
      continue
    }
    for (const [field, raw] of Object.entries(fields)) {
      entries.push({ section, field, raw, place: placeOf(section, field), layer, isText: false })
    }
  }
  return { entries, problems: [] }
}

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
