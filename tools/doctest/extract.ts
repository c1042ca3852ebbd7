/** One example of the documentation, as a program. */
export interface Example {
  /** `packages/base/src/ids.ts:12`, where its first line stands. */
  readonly where: string
  readonly code: string
}

const fence = /^(\s*\*? ?)```(ts|typescript)(?: (.*))?$/

/**
 * Takes the ```ts blocks out of a text: of a README all, of TypeScript those inside doc comments. A block marked
 * ```ts no-run shows a shape and is left out; every other one is a whole program with its imports.
 */
export function extractExamples(path: string, text: string): readonly Example[] {
  const examples: Example[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const open = fence.exec(lines[at] ?? '')
    if (!open || (path.endsWith('.ts') && !/^\s*\*/.test(lines[at] ?? ''))) continue
    const [, margin = '', , mark] = open
    const start = at + 1
    do at++
    while (at < lines.length && (lines[at] ?? '').trim() !== `${margin.trim()} \`\`\``.trim())
    if (mark === 'no-run') continue
    const code = lines.slice(start, at).map((line) => toCode(line, margin))
    examples.push({ where: `${path}:${start + 1}`, code: `${code.join('\n')}\n` })
  }
  return examples
}

/** Strips the margin of the comment, and turns `value // => expected` into an assertion. */
function toCode(line: string, margin: string): string {
  const bare = line.startsWith(margin) ? line.slice(margin.length) : line.replace(/^\s*\*? ?/, '')
  const arrow = /^(\s*)(.+?);?\s*\/\/ => (.+)$/.exec(bare)
  if (!arrow) return bare
  const [, indent = '', value = '', expected = ''] = arrow
  return `${indent}(await import('node:assert/strict')).default.deepEqual(${value}, ${expected})`
}
