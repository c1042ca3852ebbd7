import { type Code, skipPast, skipType } from './code.ts'
import type { Token } from './tokenizer.ts'

/** The declaration that begins at token `start` (after `export`), without bodies and comments, in one line. */
export function declarationText(code: Code, start: number): string {
  let at = start
  while (['declare', 'abstract', 'async'].includes(code.tokens[at]?.text ?? '')) at++
  switch (code.tokens[at]?.text) {
    case 'function':
      return print(code, start, signatureEnd(code, at))
    case 'class':
      return classText(code, start, at)
    case 'interface':
      return print(code, start, skipPast(code, find(code, at, '{')))
    case 'type':
      return print(code, start, skipType(code, find(code, at, '=') + 1).end)
    case 'const':
      return constText(code, start)
    default:
      return print(code, start, start + 2)
  }
}

function find(code: Code, from: number, text: string): number {
  const depth = code.depths[from]
  let at = from
  while (at < code.tokens.length && !(code.tokens[at]?.text === text && code.depths[at] === depth)) at++
  return at
}

/** Where the parameters and the return type of the function that begins at `at` end. */
function signatureEnd(code: Code, at: number): number {
  const close = skipPast(code, find(code, at, '('))
  return code.tokens[close]?.text === ':' ? skipType(code, close + 1).end : close
}

/** `const name: Type` as written; without a type, the keys of an object or the head of a function. */
function constText(code: Code, start: number): string {
  const next = code.tokens[start + 2]?.text
  if (next === ':') return print(code, start, skipType(code, start + 3).end)
  let value = start + 3
  if (code.tokens[value]?.text === 'async') value++
  const open = code.tokens[value]?.text
  if (open === '(') {
    const end = skipPast(code, value)
    return print(code, start, code.tokens[end]?.text === ':' ? skipType(code, end + 1).end : end)
  }
  if (open !== '{') return print(code, start, start + 2)
  const depth = (code.depths[value] ?? 0) + 1
  const keys = code.tokens.slice(value + 1, skipPast(code, value) - 1).filter((token, index) => {
    const at = value + 1 + index
    return (
      code.depths[at] === depth &&
      token.kind === 'name' &&
      [':', ',', '(', '}'].includes(code.tokens[at + 1]?.text ?? '')
    )
  })
  return `${print(code, start, start + 2)} = { ${keys.map((key) => key.text).join(', ')} }`
}

/** The head of a class and its public members, each without its body. */
function classText(code: Code, start: number, at: number): string {
  const open = find(code, at, '{')
  const end = skipPast(code, open) - 1
  const members: string[] = []
  const depth = (code.depths[open] ?? 0) + 1
  let member = open + 1
  while (member < end) {
    let next = member + 1
    let textEnd: number | undefined
    // A member ends where the next begins: at a token that is first on its line, at the depth of the class.
    while (next < end && !(code.depths[next] === depth && isFirstOnLine(code, next) && !continues(code, next))) {
      const text = code.tokens[next]?.text
      if (code.depths[next] === depth && textEnd === undefined) {
        if (text === '(') textEnd = signatureEnd(code, next)
        else if (text === ':') textEnd = skipType(code, next + 1).end
        else if (text === '=' || text === '{') textEnd = next
      }
      next++
    }
    const first = code.tokens[member]
    const isHidden = first?.text.startsWith('#') || code.tokens[member + 1]?.text.startsWith('#')
    const isBlock = first?.text === 'static' && code.tokens[member + 1]?.text === '{'
    if (!isHidden && !isBlock) members.push(print(code, member, textEnd ?? next))
    member = next
  }
  return `${print(code, start, open)} { ${members.join('; ')} }`
}

function isFirstOnLine(code: Code, at: number): boolean {
  return code.tokens[at]?.line !== code.tokens[at - 1]?.line
}

function continues(code: Code, at: number): boolean {
  return ['|', '&', '?', ':', '=', ',', '.', '=>', '<', '}', ')', '>'].includes(code.tokens[at]?.text ?? '')
}

/** Whether a line break between two tokens separates members, as it does where people write no semicolons. */
function endsMember(before: Token, token: Token): boolean {
  if (token.kind !== 'name' || ['extends', 'implements', 'is'].includes(token.text)) return false
  return before.kind !== 'mark' || [')', ']', '}', '>'].includes(before.text)
}

/** Prints tokens in one line: a space where there was white space, and a semicolon between members on two lines. */
function print(code: Code, from: number, to: number): string {
  let text = ''
  let before: Token | undefined
  for (const token of code.tokens.slice(from, to)) {
    if (before && before.line !== token.line && endsMember(before, token)) text += ';'
    if (before && before.start + before.text.length < token.start) text += ' '
    text += token.text
    before = token
  }
  // How a long line is broken is a matter of format.
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/([(<[]) /g, '$1')
    .replaceAll(/,? ([)>\]])/g, '$1')
    .replaceAll(', }', ' }')
    .replaceAll(/= \| /g, '= ')
}
