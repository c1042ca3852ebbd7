/** A piece of TypeScript. White space is left out; comments stay, because rules read them. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'template' | 'regex' | 'mark' | 'comment'
  /** As written, with quotes and slashes. A template comes as its literal pieces; what is inside `${}` is tokens. */
  readonly text: string
  /** From 1. */
  readonly line: number
  readonly start: number
}

const space = /\s+/y
const comment = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const name = /[#@]?[\p{ID_Start}$_][\p{ID_Continue}$]*/uy
const number = /(?:0[xXbBoO][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)n?/y
const text = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y
const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
const templatePiece = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y
const digitOrDot = /[\d.]/
const quote = /['"]/
const mark = /=>|\.\.\.|\?\.(?!\d)|[\s\S]/y

/** After these names a slash begins a regular expression; after any other it divides. */
const beforeRegex = new Set(
  'return typeof case in of delete void throw new do else yield await instanceof default'.split(' '),
)

/**
 * Cuts TypeScript into tokens. It never fails: what it does not understand becomes a mark of one character.
 *
 * Whether `/` divides or begins a regular expression is decided by the token before it. One case is beyond that and
 * not used here: a regular expression at the start of a statement after `)` or `}`.
 */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = []
  // Open braces; true for those of a template's `${`.
  const braces: boolean[] = []
  let at = source.startsWith('#!') ? source.indexOf('\n') >>> 0 : 0
  let line = 1
  let previous: Token | undefined

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  const advance = (piece: string) => {
    for (let index = piece.indexOf('\n'); index >= 0; index = piece.indexOf('\n', index + 1)) line++
    at += piece.length
  }
  const push = (kind: Token['kind'], piece: string | undefined): boolean => {
    if (piece === undefined) return false
    const token: Token = { kind, text: piece, line, start: at }
    tokens.push(token)
    if (kind !== 'comment') previous = token
    advance(piece)
    return true
  }
  /** Takes literal pieces of a template up to its end or the next `${`. */
  const pushTemplate = (): boolean => {
    templatePiece.lastIndex = at + 1
    const piece = source[at] + (templatePiece.exec(source)?.[0] ?? source.slice(at + 1))
    if (piece.endsWith('${')) braces.push(true)
    return push('template', piece)
  }
  const pushMark = (char: string): boolean => {
    if (char === '{') braces.push(false)
    if (char === '}' && braces.pop() === true) return pushTemplate()
    return push('mark', take(mark) ?? char)
  }

  while (at < source.length) {
    const char = source[at] as string
    const gap = take(space)
    if (gap !== undefined) advance(gap)
    else {
      void (
        (char === '/' && push('comment', take(comment))) ||
        push('name', take(name)) ||
        (digitOrDot.test(char) && push('number', take(number))) ||
        (quote.test(char) && push('string', take(text))) ||
        (char === '/' && allowsRegex(previous) && push('regex', take(regex))) ||
        (char === '`' && pushTemplate()) ||
        pushMark(char)
      )
    }
  }
  return tokens
}

function allowsRegex(previous: Token | undefined): boolean {
  if (!previous) return true
  if (previous.kind === 'name') return beforeRegex.has(previous.text)
  if (previous.kind === 'template') return previous.text.endsWith('${')
  return previous.kind === 'mark' && ![')', ']', '}'].includes(previous.text)
}

/** The value of a string token: quotes off, the escapes that names and paths use resolved. */
export function stringValue(token: Token): string {
  return token.text.slice(1, -1).replaceAll(/\\(.)/g, '$1')
}
