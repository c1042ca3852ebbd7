import { type Code, skipPast, skipType } from './code.ts'

/** One function with a body. */
export interface FunctionSpan {
  readonly name: string
  readonly line: number
  /** Its lines without those of the functions inside it: a factory is not long because what it makes has methods. */
  readonly ownLines: number
}

const control = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'await'])

/** Finds every function, method and arrow that has a body in braces. */
export function findFunctions(code: Code): readonly FunctionSpan[] {
  const spans: { name: string; line: number; from: number; to: number; lines: number }[] = []
  for (let at = 0; at < code.tokens.length; at++) {
    if (code.tokens[at]?.text !== ')') continue
    const open = code.partner.get(at)
    const body = open === undefined ? undefined : bodyAfter(code, open, at)
    if (open === undefined || body === undefined) continue
    const close = skipPast(code, body) - 1
    const line = code.tokens[open]?.line ?? 1
    const lines = (code.tokens[close]?.line ?? line) - line + 1
    spans.push({ name: nameOf(code, open), line, from: open, to: close, lines })
  }
  return spans.map(({ name, line, from, to, lines }) => {
    const inside = spans.filter((span) => span.from > from && span.to < to)
    const direct = inside.filter((span) => !inside.some((other) => other.from < span.from && other.to > span.to))
    return { name, line, ownLines: lines - direct.reduce((sum, span) => sum + span.lines, 0) }
  })
}

/** The index of the brace of the body that belongs to the parameters between `open` and `close`. */
function bodyAfter(code: Code, open: number, close: number): number | undefined {
  const before = code.tokens[open - 1]
  const next = code.tokens[close + 1]?.text
  if (next === '=>') return code.tokens[close + 2]?.text === '{' ? close + 2 : undefined
  if (before && control.has(before.text) && code.tokens[open - 2]?.text !== '.') return undefined
  if (next === '{') return close + 1
  return next === ':' ? skipType(code, close + 2).body : undefined
}

function nameOf(code: Code, open: number): string {
  let at = open - 1
  if (code.tokens[at]?.text === '>') {
    // Type parameters: back to where they open.
    for (let angles = 1; angles > 0 && at > 0; ) {
      at--
      if (code.tokens[at]?.text === '>') angles++
      if (code.tokens[at]?.text === '<') angles--
    }
    at--
  }
  if (code.tokens[at]?.text === 'async') at--
  if (code.tokens[at]?.text === '=' || code.tokens[at]?.text === ':') at--
  const token = code.tokens[at]
  return token?.kind === 'name' && token.text !== 'function' ? token.text : 'a function'
}
