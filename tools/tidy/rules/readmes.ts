import type { Finding, Rule, Tree } from '../tree.ts'

interface Section {
  readonly name: string
  readonly heading: RegExp
  readonly optional?: true
}

/** The order is that of a reader's questions: is this for me, how does it look, what can I rely on, what breaks. */
const packageSections: readonly Section[] = [
  { name: 'When to use it, and when not', heading: /^when/i },
  { name: 'Example', heading: /example/i },
  { name: 'Guarantees', heading: /guarantee/i },
  { name: 'Limits and defaults', heading: /limit|default/i },
  { name: 'Failure modes', heading: /fail|error/i },
  { name: 'Design notes', heading: /design/i, optional: true },
  { name: 'Non-goals', heading: /non-goal/i, optional: true },
]

const serviceSections: readonly Section[] = [
  { name: 'Glossary', heading: /glossary|words/i },
  { name: 'Invariants', heading: /invariant/i },
  { name: 'Commands, events, refusals', heading: /command|event|refusal/i },
  { name: 'Ports', heading: /ports/i },
  { name: 'Run it, test it, break it', heading: /run/i },
  { name: 'Operations', heading: /operation/i },
]

/** The README of a package or service answers the same questions in the same order. Other headings may stand between. */
export const readmesRule: Rule = {
  name: 'READMEs',
  *check(tree) {
    for (const { folder, kind } of tree.workspaces) {
      if (kind === 'package') yield* checkReadme(tree, `${folder}/README.md`, packageSections)
      if (kind === 'service') yield* checkReadme(tree, `${folder}/README.md`, serviceSections)
    }
    for (const path of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'LICENSE', 'docs/capabilities.md']) {
      if (!tree.has(path)) yield { path, line: 1, message: 'The file is missing; every working copy has it' }
    }
  },
}

function* checkReadme(tree: Tree, path: string, sections: readonly Section[]): Iterable<Finding> {
  const text = tree.files.get(path)?.text
  if (text === undefined) {
    yield {
      path,
      line: 1,
      message: `The file is missing; its sections are ${sections.map(({ name }) => name).join(', ')}`,
    }
    return
  }
  const lines = text.split('\n')
  const afterTitle = lines.slice(1).find((line) => line.trim() !== '') ?? ''
  if (!lines[0]?.startsWith('# ') || afterTitle.startsWith('#')) {
    yield { path, line: 1, message: 'Begin with a title and one sentence that says what this is' }
  }
  const headings = lines.flatMap((line, index) =>
    line.startsWith('## ') ? [{ text: line.slice(3), line: index + 1 }] : [],
  )
  let last = -1
  for (const { name, heading, optional } of sections) {
    const at = headings.findIndex(({ text: title }, index) => index > last && heading.test(title))
    if (at >= 0) last = at
    else if (headings.some(({ text: title }) => heading.test(title))) {
      yield {
        path,
        line: 1,
        message: `The section "${name}" stands in the wrong place; the order is ${orderOf(sections)}`,
      }
    } else if (!optional) {
      yield { path, line: 1, message: `There is no section "## ${name}"; the order is ${orderOf(sections)}` }
    }
  }
}

function orderOf(sections: readonly Section[]): string {
  return sections.map(({ name }) => name).join(' · ')
}
