import { findFunctions } from '../functions.ts'
import type { Rule, SourceFile, Tree } from '../tree.ts'

const fileLines = 350
const fileLinesMax = 600
const functionLines = 70

/** Where today's exceptions are listed with their length: `path lines` or `path#function lines`. */
export const ratchetPath = 'tools/tidy/ratchet.txt'

/**
 * Files of up to 350 lines and functions of up to 70. What is longer stands in the ratchet with its length and may
 * only get shorter; no file is longer than 600. Tests are lists:
 * only the 600 holds for them.
 */
export const lengthsRule: Rule = {
  name: 'lengths',
  *check(tree) {
    const ratchet = readRatchet(tree)
    const measured = new Map(tree.sources.flatMap(measure).map((item) => [item.key, item]))
    for (const { key, path, line, lines, limit, what } of measured.values()) {
      const allowed = ratchet.get(key) ?? limit
      if (limit !== functionLines && lines > fileLinesMax) {
        yield {
          path,
          line,
          message: `${what} has ${lines} lines, and ${fileLinesMax} is the most; split it by subject`,
        }
      } else if (lines > allowed) {
        yield { path, line, message: `${what} has ${lines} lines, ${allowed} are allowed; split it by subject` }
      }
    }
    for (const [key, lines] of ratchet) {
      const now = measured.get(key)
      if (now && now.lines >= lines && now.lines > now.limit) continue
      const message = `The ratchet says ${lines} for ${key}, but it is shorter now; run: npm run tidy -- --update`
      yield { path: ratchetPath, line: 1, message }
    }
  },
}

/** The ratchet after everything that got shorter has been taken in. Nothing is ever added by itself. */
export function tightenedRatchet(tree: Tree): string {
  const measured = new Map(tree.sources.flatMap(measure).map((item) => [item.key, item]))
  const kept = [...readRatchet(tree)].flatMap(([key, lines]) => {
    const now = measured.get(key)
    return now && now.lines > now.limit ? [`${key} ${Math.min(lines, now.lines)}\n`] : []
  })
  return kept.sort().join('')
}

interface Measured {
  readonly key: string
  readonly what: string
  readonly path: string
  readonly line: number
  readonly lines: number
  readonly limit: number
}

function measure(file: SourceFile): readonly Measured[] {
  const { path } = file
  const lines = file.text.split('\n').length - 1
  const whole = { key: path, what: 'The file', path, line: 1, lines, limit: file.isTest ? fileLinesMax : fileLines }
  if (file.isTest) return [whole]
  const functions = findFunctions(file.code).map(({ name, line, ownLines }) => {
    return { key: `${path}#${name}`, what: `${name}()`, path, line, lines: ownLines, limit: functionLines }
  })
  // Of several functions of one name the longest counts.
  return [whole, ...functions.sort((a, b) => a.lines - b.lines)]
}

function readRatchet(tree: Tree): ReadonlyMap<string, number> {
  const entries = new Map<string, number>()
  for (const line of (tree.files.get(ratchetPath)?.text ?? '').split('\n').filter(Boolean)) {
    const space = line.lastIndexOf(' ')
    entries.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  return entries
}
