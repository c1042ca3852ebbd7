import { extname } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { type ConfigProblem, entriesOf, type RawDocument } from './entry.ts'

/** Formats by the ending of the file's name. */
const configFormats = ['.yaml', '.yml', '.json', '.toml'] as const

const aliasesMax = 100

/**
 * Reads the text of a configuration file. Everything wrong with it is in the answer, with the line where the parser
 * gives one; it never throws.
 */
export function parseConfigFile(name: string, text: string): RawDocument {
  const format = extname(name).toLowerCase()
  try {
    switch (format) {
      case '.yaml':
      case '.yml':
        return parseYamlText(name, text)
      case '.json':
        return parseJsonText(name, text)
      case '.toml':
        return parseTomlText(name, text)
      default:
        return refused(name, `must end in ${configFormats.join(', ')}`)
    }
  } catch (error) {
    // Deep nesting exhausts the stack of a recursive parser; the file is as broken as any other.
    return refused(name, error instanceof RangeError ? 'is nested too deeply' : messageOf(error))
  }
}

function parseYamlText(name: string, text: string): RawDocument {
  const { document, lines } = readYaml(text)
  const problems = document.errors.map((error): ConfigProblem => {
    return { key: '', place: `${name}:${lines.linePos(error.pos[0]).line}`, message: firstLine(error.message) }
  })
  if (problems.length > 0) return { entries: [], problems }
  return entriesOf(document.toJS({ maxAliasCount: aliasesMax }), placesIn(name, { document, lines }), 'file')
}

function parseJsonText(name: string, text: string): RawDocument {
  const root: unknown = JSON.parse(text)
  // YAML 1.2 contains JSON, so its parser knows the lines; where it disagrees the place is the file alone.
  return entriesOf(root, placesIn(name, readYaml(text)), 'file')
}

function parseTomlText(name: string, text: string): RawDocument {
  try {
    return entriesOf(parseToml(text), tomlPlaces(name, text), 'file')
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return { entries: [], problems: [{ key: '', place: `${name}:${error.line}`, message: firstLine(error.message) }] }
  }
}

interface YamlText {
  readonly document: Document.Parsed
  readonly lines: LineCounter
}

function readYaml(text: string): YamlText {
  const lines = new LineCounter()
  return { document: parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true }), lines }
}

function placesIn(name: string, { document, lines }: YamlText): (section: string, field: string) => string {
  return (section, field) => {
    const path = [section, field].filter((part) => part !== '')
    const node = path.length === 0 ? document.contents : document.getIn(path, true)
    return isNode(node) && node.range ? `${name}:${lines.linePos(node.range[0]).line}` : name
  }
}

const tomlTable = /^\s*\[\s*([A-Za-z0-9_-]+)\s*\]/
const tomlKey = /^\s*(?:([A-Za-z0-9_-]+)\s*\.\s*)?([A-Za-z0-9_-]+)\s*=/

/** The parser of TOML keeps no lines. Plain keys are found by reading; a file with texts of many lines gets none. */
function tomlPlaces(name: string, text: string): (section: string, field: string) => string {
  const places = new Map<string, number>()
  if (!text.includes('"""') && !text.includes("'''")) {
    let table = ''
    for (const [index, line] of text.split('\n').entries()) {
      const header = tomlTable.exec(line)
      const pair = tomlKey.exec(line)
      if (header) table = header[1] as string
      else if (line.trimStart().startsWith('[')) table = '?'
      else if (pair) places.set(`${pair[1] ?? table}.${pair[2]}`, index + 1)
    }
  }
  return (section, field) => {
    const line = places.get(field === '' ? `.${section}` : `${section}.${field}`)
    return line === undefined ? name : `${name}:${line}`
  }
}

function refused(name: string, message: string): RawDocument {
  return { entries: [], problems: [{ key: '', place: name, message }] }
}

function messageOf(error: unknown): string {
  return firstLine(Error.isError(error) ? error.message : String(error))
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string
}
