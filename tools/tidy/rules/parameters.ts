import { codeOf, skipPast } from '../code.ts'
import { tokenize } from '../tokenizer.ts'
import type { Rule } from '../tree.ts'

const parametersMax = 3
const arrow = /^const [\w$]+ = (async )?\(/

/**
 * A function takes two positional arguments and then one options object; a fourth is never seen. Measured are the
 * exported functions of packages and services: inside a file a private function may be closer to its caller.
 */
export const parametersRule: Rule = {
  name: 'parameters',
  *check(tree) {
    for (const file of tree.sources) {
      if (!/^(packages|services)\//.test(file.path) || file.isTest) continue
      for (const { name, kind, line, signature } of file.module.exports) {
        if (kind !== 'function' && !(kind === 'const' && arrow.test(signature))) continue
        const count = countParameters(signature)
        if (count <= parametersMax) continue
        const message = `${name}() takes ${count} arguments; keep two and put the rest into one readonly options object`
        yield { path: file.path, line, message }
      }
    }
  },
}

function countParameters(signature: string): number {
  const code = codeOf(tokenize(signature))
  const open = code.tokens.findIndex(({ text }, at) => text === '(' && code.depths[at] === 0)
  if (open < 0 || code.tokens[open + 1]?.text === ')') return 0
  let angles = 0
  let count = 1
  for (let at = open + 1; at < skipPast(code, open) - 1; at++) {
    const text = code.tokens[at]?.text
    if (code.depths[at] !== 1) continue
    if (text === '<') angles++
    else if (text === '>') angles--
    else if (text === ',' && angles === 0 && code.tokens[at + 1]?.text !== ')') count++
  }
  return count
}
