/**
 * Type-checks and runs every example in doc comments and READMEs of packages and services. Words choose by path:
 * `node tools/doctest/main.ts packages/base`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadTree } from '../tidy/load.ts'
import { type Example, extractExamples } from './extract.ts'

const root = join(import.meta.dirname, '..', '..')
const timeoutMs = 30_000
const words = process.argv.slice(2)

const found = [...loadTree(root).files.values()]
  .filter(({ path }) => /^(packages|services)\/(.*\/src\/.*\.ts|[^/]+\/README\.md)$/.test(path))
  .filter(({ path }) => !path.includes('/gen/') && (words.length === 0 || words.some((word) => path.includes(word))))
  .flatMap(({ path, text }) => extractExamples(path, text))

// Inside the repository, so that the names of its packages resolve, and not in node_modules, where Node strips no types.
mkdirSync(join(root, 'dist'), { recursive: true })
const folder = mkdtempSync(join(root, 'dist', 'examples-'))
try {
  process.exitCode = check(found)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function check(examples: readonly Example[]): number {
  const fileOf = (index: number) => `example-${index}.ts`
  for (const [index, { code }] of examples.entries()) writeFileSync(join(folder, fileOf(index)), code)
  // An example may leave a variable unused: it shows how to get it.
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
  const config = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [], compilerOptions }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  let failures = 0
  const complain = (text: string) => {
    failures++
    console.log(text.trim())
  }
  if (examples.length > 0) {
    const types = spawnSync('tsc', ['-p', folder, '--pretty', 'false'], { cwd: root, encoding: 'utf8' })
    if (types.status !== 0) {
      for (const line of types.stdout.split('\n')) {
        const at = /example-(\d+)\.ts\((\d+),\d+\): (.*)/.exec(line)
        if (at) complain(`${placeOf(examples[Number(at[1])], Number(at[2]))} ${at[3]}`)
      }
    }
  }
  for (const [index, example] of examples.entries()) {
    const run = spawnSync(process.execPath, [join(folder, fileOf(index))], {
      cwd: root,
      encoding: 'utf8',
      timeout: timeoutMs,
    })
    if (run.status !== 0) complain(`${example.where} failed with ${run.signal ?? `code ${run.status}`}\n${run.stderr}`)
  }
  console.log(`examples: ${examples.length} run, ${failures} problems`)
  return failures === 0 ? 0 : 1
}

function placeOf(example: Example | undefined, line: number): string {
  const [path, first] = example?.where.split(':') ?? []
  return `${path}:${Number(first) + line - 1}`
}
