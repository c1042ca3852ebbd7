import type { Token } from './tokenizer.ts'

/** Tokens without comments, with their nesting. */
export interface Code {
  readonly tokens: readonly Token[]
  /** How many brackets of any kind are open before each token. */
  readonly depths: readonly number[]
  /** The index of the bracket that closes (opens) the one at this index. */
  readonly partner: ReadonlyMap<number, number>
  /** The last comment between the token before and this one. */
  readonly commentBefore: readonly (Token | undefined)[]
}

const opening = new Set(['(', '[', '{'])
const closing = new Set([')', ']', '}'])

/** Leaves the comments out and pairs the brackets. Brackets that do not pair are left without a partner. */
export function codeOf(all: readonly Token[]): Code {
  const tokens: Token[] = []
  const depths: number[] = []
  const partner = new Map<number, number>()
  const commentBefore: (Token | undefined)[] = []
  const open: number[] = []
  let comment: Token | undefined
  const close = (at: number) => {
    const from = open.pop()
    if (from === undefined) return
    partner.set(from, at).set(at, from)
  }
  for (const token of all) {
    if (token.kind === 'comment') {
      comment = token
      continue
    }
    const at = tokens.length
    const isMark = token.kind === 'mark'
    const isTemplate = token.kind === 'template'
    if ((isMark && closing.has(token.text)) || (isTemplate && token.text.startsWith('}'))) close(at)
    tokens.push(token)
    depths.push(open.length)
    commentBefore.push(comment)
    comment = undefined
    if ((isMark && opening.has(token.text)) || (isTemplate && token.text.endsWith('${'))) open.push(at)
  }
  return { tokens, depths, partner, commentBefore }
}

/** The index after the bracket that closes the one at `open`. */
export function skipPast(code: Code, open: number): number {
  return (code.partner.get(open) ?? code.tokens.length) + 1
}

/** Names that stand before a type rather than being one. */
const typePrefixes = new Set(['readonly', 'keyof', 'typeof', 'infer', 'unique', 'asserts', 'new', 'abstract'])
const typeInfixes = new Set(['extends', 'is', 'in', 'as'])
const typeOperators = new Set(['|', '&', '?', ':', '.', '-', '+', '...', '*'])

/**
 * Walks over a type that begins at `start`. Answers where it ends and, if what follows is the body of a function,
 * that is the index of its brace.
 */
export function skipType(code: Code, start: number): { readonly end: number; readonly body: number | undefined } {
  let angles = 0
  let wantsOperand = true
  let at = start
  while (at < code.tokens.length) {
    const { text, kind } = code.tokens[at] as Token
    if (text === '{' && kind === 'mark') {
      if (!wantsOperand) return { end: at, body: at }
      at = skipPast(code, at)
      wantsOperand = false
      continue
    }
    if (text === '(' || text === '[') {
      if (!wantsOperand && text === '(') break
      at = skipPast(code, at)
      wantsOperand = false
      continue
    }
    if (text === '=>') {
      if (code.tokens[at + 1]?.text === '{') return { end: at, body: at + 1 }
      wantsOperand = true
    } else if (text === '<') {
      angles++
      wantsOperand = true
    } else if (text === '>') {
      if (angles === 0) break
      angles--
      wantsOperand = false
    } else if (typeOperators.has(text) || (text === ',' && angles > 0)) wantsOperand = true
    else if (kind === 'mark') break
    else if (!wantsOperand && typeInfixes.has(text)) wantsOperand = true
    else if (!wantsOperand && kind !== 'template') break
    else wantsOperand = typePrefixes.has(text) || (kind === 'template' && text.endsWith('${'))
    at++
  }
  return { end: at, body: undefined }
}
