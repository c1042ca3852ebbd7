import { type Code, codeOf, skipPast } from './code.ts'
import { declarationText } from './declaration.ts'
import { stringValue, type Token } from './tokenizer.ts'

/** One name taken from another module. */
export interface ImportedName {
  /** The name as the other module exports it; `*` for all of it. */
  readonly name: string
  readonly typeOnly: boolean
}

/** One reference to another module. */
export interface Import {
  readonly specifier: string
  readonly line: number
  /** `resolve` stands for import.meta.resolve, require.resolve and new URL(…, import.meta.url). */
  readonly form: 'static' | 'dynamic' | 'resolve' | 'reexport'
  /** Whether nothing of it is left at run time. */
  readonly typeOnly: boolean
  readonly names: readonly ImportedName[]
}

/** One name a module offers. */
export interface Export {
  readonly name: string
  readonly kind: 'function' | 'class' | 'const' | 'interface' | 'type' | 'list' | 'star' | 'default' | 'other'
  readonly line: number
  readonly typeOnly: boolean
  /** For a list: where the name comes from (undefined: this file) and what it is called there. */
  readonly from?: string | undefined
  readonly localName: string
  /** The doc comment directly before it. */
  readonly doc: string | undefined
  /** The declaration without its body, in one line. */
  readonly signature: string
}

/** What one file takes and gives. */
export interface Module {
  readonly imports: readonly Import[]
  readonly exports: readonly Export[]
}

/** Reads imports and exports from tokens. */
export function parseModule(tokens: readonly Token[]): Module {
  const code = codeOf(tokens)
  const imports: Import[] = []
  const exports: Export[] = []
  for (let at = 0; at < code.tokens.length; at++) {
    const text = code.tokens[at]?.text
    if (text === 'import' && isStatement(code, at)) at = readImport(code, at, imports)
    else if (text === 'export' && isStatement(code, at)) readExport(code, at, imports, exports)
    else readReference(code, at, imports)
  }
  return { imports, exports }
}

function isStatement(code: Code, at: number): boolean {
  if (code.depths[at] !== 0) return false
  const next = code.tokens[at + 1]?.text
  return next !== '(' && next !== '.' && next !== ':'
}

/** Reads `import …`; answers the index of its last token. */
function readImport(code: Code, start: number, imports: Import[]): number {
  const { tokens } = code
  let end = start + 1
  while (end < tokens.length && tokens[end]?.kind !== 'string') end++
  const source = tokens[end]
  if (!source) return start
  const typeOnly = tokens[start + 1]?.text === 'type' && tokens[start + 2]?.text !== 'from'
  const names: ImportedName[] = []
  for (let at = start + 1; at < end; at++) {
    const token = tokens[at]
    if (token?.text === '{') {
      for (const item of readList(code, at)) names.push({ name: item.name, typeOnly: typeOnly || item.typeOnly })
      at = skipPast(code, at) - 1
    } else if (token?.text === '*') names.push({ name: '*', typeOnly })
    else if (token?.kind === 'name' && !['type', 'from', 'as', 'import'].includes(token.text)) {
      if (tokens[at - 1]?.text !== 'as') names.push({ name: 'default', typeOnly })
    }
  }
  const onlyTypes = typeOnly || (names.length > 0 && names.every((item) => item.typeOnly))
  const line = tokens[start]?.line ?? 1
  imports.push({ specifier: stringValue(source), line, form: 'static', typeOnly: onlyTypes, names })
  return end
}

interface ListItem {
  readonly name: string
  readonly as: string
  readonly typeOnly: boolean
}

/** Reads `{ a, type b as c }` that opens at `open`. */
function readList(code: Code, open: number): readonly ListItem[] {
  const items: ListItem[] = []
  const end = skipPast(code, open) - 1
  let words: string[] = []
  for (let at = open + 1; at <= end; at++) {
    const token = code.tokens[at]
    if (at < end && token?.text !== ',') {
      if (token) words.push(token.text)
      continue
    }
    const typeOnly = words.length > 1 && words[0] === 'type' && words[1] !== 'as'
    const [name, , as] = typeOnly ? words.slice(1) : words
    if (name !== undefined) items.push({ name, as: as ?? name, typeOnly })
    words = []
  }
  return items
}

function readExport(code: Code, start: number, imports: Import[], exports: Export[]): void {
  const { tokens } = code
  let at = start + 1
  const typeFirst = tokens[at]?.text === 'type' && ['{', '*'].includes(tokens[at + 1]?.text ?? '')
  if (typeFirst) at++
  const line = tokens[start]?.line ?? 1
  const doc = docBefore(code, start)
  const text = tokens[at]?.text
  if (text === '{' || text === '*') {
    const items = text === '{' ? readList(code, at) : [{ name: '*', as: '*', typeOnly: false }]
    let after = text === '{' ? skipPast(code, at) : at + 1
    if (tokens[after]?.text === 'as') after += 2
    const source = tokens[after]?.text === 'from' ? tokens[after + 1] : undefined
    const from = source ? stringValue(source) : undefined
    for (const item of items) {
      const typeOnly = typeFirst || item.typeOnly
      const kind = text === '*' ? 'star' : 'list'
      exports.push({ name: item.as, localName: item.name, kind, line, typeOnly, from, doc, signature: '' })
    }
    if (from !== undefined) {
      const names = items.map(({ name, typeOnly }) => ({ name, typeOnly: typeFirst || typeOnly }))
      imports.push({ specifier: from, line, form: 'reexport', typeOnly: names.every((item) => item.typeOnly), names })
    }
    return
  }
  while (['declare', 'abstract', 'async'].includes(tokens[at]?.text ?? '')) at++
  const keyword = tokens[at]?.text ?? ''
  const kind = kinds.get(keyword) ?? 'other'
  if (tokens[at + 1]?.text === '*') at++
  const name = kind === 'default' ? 'default' : (tokens[at + 1]?.text ?? '')
  const typeOnly = kind === 'interface' || kind === 'type'
  const signature = declarationText(code, start + 1)
  exports.push({ name, localName: name, kind, line, typeOnly, doc, signature })
}

const kinds = new Map<string, Export['kind']>([
  ['function', 'function'],
  ['class', 'class'],
  ['const', 'const'],
  ['let', 'other'],
  ['var', 'other'],
  ['enum', 'other'],
  ['interface', 'interface'],
  ['type', 'type'],
  ['default', 'default'],
])

/** The doc comment that ends right before token `at`. */
export function docBefore(code: Code, at: number): string | undefined {
  const comment = code.commentBefore[at]
  return comment?.text.startsWith('/**') ? comment.text : undefined
}

/** Finds import('x'), import.meta.resolve('x'), require.resolve('x'), new URL('x', import.meta.url) and joined paths. */
function readReference({ tokens }: Code, at: number, imports: Import[]): void {
  if (tokens[at]?.text === 'dirname') readJoin(tokens, at, imports)
  const [token, second, third] = [tokens[at], tokens[at + 1], tokens[at + 2]]
  if (token?.kind !== 'name' || second?.text !== '(' || third?.kind !== 'string') return
  const before = tokens[at - 1]?.text
  const line = token.line
  const names = [{ name: '*', typeOnly: false }]
  const reference = { specifier: stringValue(third), line, typeOnly: false, names }
  if (token.text === 'import' && before !== '.') imports.push({ ...reference, form: 'dynamic' })
  else if (token.text === 'resolve' && before === '.' && ['meta', 'require'].includes(tokens[at - 2]?.text ?? '')) {
    imports.push({ ...reference, form: 'resolve' })
  } else if (token.text === 'URL' && before === 'new' && isOwnUrl(tokens, at + 4)) {
    // Relative to this file, with or without a dot.
    const isBare = !/^(\.|\/|[a-z]+:)/.test(reference.specifier)
    imports.push({
      ...reference,
      specifier: isBare ? `./${reference.specifier}` : reference.specifier,
      form: 'resolve',
    })
  }
}

/** Whether `import.meta.url` stands at `at`: the base is this file and not something that was resolved. */
function isOwnUrl(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.text === 'import' && tokens[at + 4]?.text === 'url'
}

/** Finds the file named by join(import.meta.dirname, 'a', 'b.ts'). */
function readJoin(tokens: readonly Token[], at: number, imports: Import[]): void {
  const parts: string[] = []
  for (let next = at + 1; tokens[next]?.text === ',' && tokens[next + 1]?.kind === 'string'; next += 2) {
    parts.push(stringValue(tokens[next + 1] as Token))
  }
  const specifier = `./${parts.join('/')}`
  if (!/\.[mc]?[jt]s$/.test(specifier)) return
  const names = [{ name: '*', typeOnly: false }]
  imports.push({ specifier, line: tokens[at]?.line ?? 1, form: 'resolve', typeOnly: false, names })
}
