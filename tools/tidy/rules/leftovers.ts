import type { Rule } from '../tree.ts'

interface Leftover {
  readonly pattern: RegExp
  readonly message: string
}

// Put together here, so that this file does not find itself.
const fix = `FIX${'ME'}`
const later = `TO${'DO'}`

const leftovers: readonly Leftover[] = [
  { pattern: /^(<{7} |>{7} |\|{7} )/, message: 'A conflict of a merge was left; resolve it' },
  { pattern: new RegExp(`\\b(${fix}|X{3})\\b`), message: `Mend what ${fix} says before it is merged` },
  {
    pattern: new RegExp(`\\b${later}\\b(?!\\(#\\d+\\))`),
    message: `Write ${later}(#12) with the number of an issue, or do it now`,
  },
  { pattern: /(?<![\w.~/-])\/(home|Users|root|work)\/[\w.-]+/, message: 'A path of one machine; make it relative' },
  { pattern: /[A-Z]:\\\\?Users\\/, message: 'A path of one machine; make it relative' },
  {
    pattern: /https?:\/\/[\w.-]*\b(registry|registries|mirror|artifactory|nexus)\b[\w.-]*/,
    message: 'The host of a registry; everyone has their own in their npm settings',
  },
]

const binary = /\.(png|jpg|ico|woff2?|gz|zip|wasm|pb)$/

/** What is left behind by hand or by a tool and helps nobody. */
export const leftoversRule: Rule = {
  name: 'leftovers',
  *check(tree) {
    for (const { path, text } of tree.files.values()) {
      // The tests of this rule are made of leftovers.
      if (binary.test(path) || /(^|\/)(gen|fixtures)\//.test(path) || path.startsWith('tools/tidy/rules/leftovers'))
        continue
      if (!leftovers.some(({ pattern }) => new RegExp(pattern, `${pattern.flags}m`).test(text))) continue
      for (const [index, line] of text.split('\n').entries()) {
        const found = leftovers.find(({ pattern }) => pattern.test(line))
        if (found) yield { path, line: index + 1, message: found.message }
      }
    }
  },
}
