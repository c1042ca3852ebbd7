/**
 * Compiles a pattern of a contract. Contracts use RE2 syntax; what means something else in JavaScript is translated,
 * and what JavaScript does not know is refused.
 *
 * @throws TypeError when the pattern cannot be compiled to the same meaning.
 */
export function compilePattern(source: string): RegExp {
  try {
    return new RegExp(translate(source), 'u')
  } catch (error) {
    throw new TypeError(`the pattern ${JSON.stringify(source)} cannot be compiled: ${(error as Error).message}`)
  }
}

const outside = new Map([
  ['\\s', '[\\t\\n\\f\\r ]'],
  ['\\S', '[^\\t\\n\\f\\r ]'],
  ['\\A', '^'],
  ['\\z', '$'],
])
// JavaScript has these too, with a meaning that RE2 refuses or does not share.
const refused = /^\\[1-9kcu]|^\\[QECGXZ]|^\(\?(?:[=!]|<[=!])/

function translate(source: string): string {
  let result = ''
  let inClass = false
  for (let i = 0; i < source.length; ) {
    const rest = source.slice(i, i + 4)
    if (refused.test(rest)) throw new TypeError(`${rest.slice(0, 3)} is not supported`)
    if (rest.startsWith('\\')) {
      const pair = rest.slice(0, 2)
      if (inClass && pair === '\\S') throw new TypeError('\\S inside a class is not supported')
      result +=
        inClass && pair === '\\s'
          ? '\\t\\n\\f\\r '
          : inClass
            ? classEscape(pair)
            : (outside.get(pair) ?? plainEscape(pair))
      i += 2
      continue
    }
    const char = source[i] as string
    if (inClass && rest.startsWith('[:')) throw new TypeError('POSIX classes are not supported')
    if (char === '[' && !inClass) {
      inClass = true
      const open = /^\[\^?\]?/.exec(source.slice(i, i + 3))?.[0] as string
      // A bracket that comes first is a member in RE2.
      result += open.endsWith(']') ? `${open.slice(0, -1)}\\]` : open
      i += open.length
      continue
    }
    if (char === ']') inClass = false
    // A dot matches all but a line feed; JavaScript leaves out three more.
    result += char === '.' && !inClass ? '[^\\n]' : inClass && char === '[' ? '\\[' : char
    i++
  }
  return result
}

/** Unicode mode refuses escapes of characters that need none; RE2 takes any punctuation. */
function plainEscape(pair: string): string {
  return /^\\[^a-zA-Z0-9^$\\.*+?()[\]{}|/]$/.test(pair) ? pair.slice(1) : pair
}

function classEscape(pair: string): string {
  return /^\\[^a-zA-Z0-9^$\\.*+?()[\]{}|/-]$/.test(pair) ? pair.slice(1) : pair
}
