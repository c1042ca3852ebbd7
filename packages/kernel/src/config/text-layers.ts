import type { ConfigDefinition } from './define-config.ts'
import type { ConfigProblem, RawDocument, RawEntry } from './entry.ts'

/** The variable of a field: `orders.payTimeoutMs` is `PLINTH_ORDERS__PAY_TIMEOUT_MS`. */
export function variableName(prefix: string, section: string, field: string): string {
  return `${prefix}_${upperSnake(section)}__${upperSnake(field)}`
}

/**
 * Entries of the environment: every variable `<PREFIX>_<SECTION>__<FIELD>`. Variables of the prefix without the double
 * underscore belong to others.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  options: { readonly prefix: string; readonly definitions: readonly ConfigDefinition[] },
): RawDocument {
  const known = new Map<string, { section: string; field: string }>()
  for (const { name: section, fields } of options.definitions) {
    for (const field of Object.keys(fields)) known.set(variableName(options.prefix, section, field), { section, field })
  }
  const entries: RawEntry[] = []
  for (const [name, raw] of Object.entries(environment)) {
    if (raw === undefined || !name.startsWith(`${options.prefix}_`) || !name.includes('__')) continue
    const [section = '', field = ''] = name.slice(options.prefix.length + 1).split('__')
    const target = known.get(name) ?? { section: camel(section), field: camel(field) }
    entries.push({ ...target, raw, place: name, layer: 'environment', isText: true })
  }
  return { entries, problems: [] }
}

const flagPattern = /^([^.=]+)\.([^.=]+)=([\s\S]*)$/

/** Entries of flags: `orders.payTimeoutMs=30m` each, as they follow `--set`. */
export function readFlags(flags: readonly string[]): RawDocument {
  const entries: RawEntry[] = []
  const problems: ConfigProblem[] = []
  for (const flag of flags) {
    const parts = flagPattern.exec(flag)
    if (parts) {
      const [, section = '', field = '', raw = ''] = parts
      // The value may be a secret given in the wrong place: it is not repeated.
      entries.push({
        section,
        field,
        raw: jsonOrText(raw),
        place: `--set ${section}.${field}`,
        layer: 'flag',
        isText: !isReference(raw),
      })
    } else {
      const shown = flag.split('=', 1)[0]
      problems.push({ key: '', place: `--set ${shown}`, message: 'must be section.field=value' })
    }
  }
  return { entries, problems }
}

function isReference(text: string): boolean {
  return /^\s*\{\s*"\$secret"/.test(text)
}

/** A reference to a secret is a table in a flag too; all else stays text. */
function jsonOrText(text: string): unknown {
  if (!isReference(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    // The field refuses the text and says what a reference looks like.
    return text
  }
}

function upperSnake(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()
}

function camel(name: string): string {
  return name.toLowerCase().replace(/_+([a-z0-9])/g, (_, char: string) => char.toUpperCase())
}
