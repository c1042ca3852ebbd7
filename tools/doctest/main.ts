/**
 * Type-checks and runs every example in doc comments and READMEs of packages and services. Words choose by path:
 * `node tools/doctest/main.ts packages/base`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../check/run-tool.ts'
import { loadTree } from '../tidy/load.ts'
import { type Example, extractExamples } from './extract.ts'

const root = join(import.meta.dirname, '..', '..')
const timeoutMs = 30_000
const concurrency = 2
const words = process.argv.slice(2)

const found = [...loadTree(root).files.values()]
  .filter(({ path }) => /^(packages|services)\/(.*\/src\/.*\.ts|[^/]+\/README\.md)$/.test(path))
  .filter(({ path }) => !path.includes('/gen/') && (words.length === 0 || words.some((word) => path.includes(word))))
  .flatMap(({ path, text }) => extractExamples(path, text))

// Inside the repository, so that the names of its packages resolve, and not in node_modules, where Node strips no types.
mkdirSync(join(root, 'dist'), { recursive: true })
const folder = mkdtempSync(join(root, 'dist', 'examples-'))
try {
  for (const [index, { code }] of found.entries()) writeFileSync(join(folder, fileOf(index)), code)
  const [wrongTypes, failures] = await Promise.all([checkTypes(found), runAll(found)])
  const problems = [...wrongTypes, ...failures]
  for (const problem of problems) console.log(problem)
  console.log(`examples: ${found.length} run, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function fileOf(index: number): string {
  return `example-${index}.ts`
}

async function checkTypes(examples: readonly Example[]): Promise<readonly string[]> {
  if (examples.length === 0) return []
  // An example may leave a variable unused: it shows how to get it.
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
  const config = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [], compilerOptions }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const { code, output } = await runTool(root, ['tsc', '-p', folder, '--pretty', 'false'])
  if (code === 0) return []
  // What is wrong in the sources themselves is said by the check of types.
  return output.split('\n').flatMap((line) => {
    const at = /example-(\d+)\.ts\((\d+),\d+\): (.*)/.exec(line)
    return at ? [`${placeOf(examples[Number(at[1])], Number(at[2]))} ${at[3]}`] : []
  })
}

async function runAll(examples: readonly Example[]): Promise<readonly string[]> {
  const problems: string[] = []
  const queue = examples.entries()
  const work = async () => {
    for (const [index, { where }] of queue) {
      const { code, output } = await runTool(root, [process.execPath, join(folder, fileOf(index))], { timeoutMs })
      if (code !== 0) problems.push(`${where} failed with code ${code}\n${output}`)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return problems
}

function placeOf(example: Example | undefined, line: number): string {
  const [path, first] = example?.where.split(':') ?? []
  return `${path}:${Number(first) + line - 1}`
}
