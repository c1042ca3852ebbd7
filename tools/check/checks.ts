import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layThirdPartyContracts, thirdPartyFolder } from '../contracts/third-party.ts'
import { runTool } from './run-tool.ts'
import { findStaleContracts } from './stale-contracts.ts'

/** What a check found: nothing, a problem with advice, or why it could not look. */
export type CheckResult = undefined | { readonly problem: string } | { readonly skipped: string }

/** Something about the repository that holds or does not. */
export interface Check {
  readonly name: string
  run(root: string): Promise<CheckResult>
}

/** What a tool says when it fails is cut to a length that can be read; its end says most. */
const outputMax = 20_000

/** All checks. `node` is the Node that runs now; the other tools come from node_modules/.bin. */
export const checks: readonly Check[] = [
  tool('tidy', [process.execPath, 'tools/tidy/main.ts'], 'The rules are in tools/tidy/README.md.'),
  tool('types', ['tsc', '-p', '.'], 'Fix the types.'),
  tool('lint and format', ['biome', 'check', '--error-on-warnings', '.'], 'Run: npx biome check --write .'),
  contractTool('contracts: lint', ['lint'], 'Fix the .proto files named above.'),
  contractTool(
    'contracts: format',
    // What others wrote is theirs to format.
    ['format', '--diff', '--exit-code', ...['buf', 'google'].flatMap(excludeThirdParty)],
    'Run: npx buf format -w, and commit.',
  ),
  {
    name: 'contracts: generated code is up to date',
    run: async (root) => problemOf(await findStaleContracts(root)),
  },
  { name: 'contracts: no breaking change since the last release', run: findBreakingChanges },
  tool('examples in doc comments and READMEs', [process.execPath, 'tools/doctest/main.ts'], 'Fix the example.'),
]

function tool(name: string, command: readonly string[], advice: string): Check {
  return {
    name,
    async run(root) {
      const { code, output } = await runTool(root, command)
      return code === 0 ? undefined : { problem: `${output.slice(-outputMax)}\n${advice}` }
    },
  }
}

/** A tool of buf, which needs the public contracts laid out beside ours; `npm ci` takes them away. */
function contractTool(name: string, args: readonly string[], advice: string): Check {
  const check = tool(name, ['buf', ...args], advice)
  return {
    name,
    async run(root) {
      if (!existsSync(thirdPartyFolder)) layThirdPartyContracts()
      return await check.run(root)
    },
  }
}

function excludeThirdParty(folder: string): readonly string[] {
  return ['--exclude-path', `node_modules/.cache/plinth-contracts/${folder}`]
}

function problemOf(problem: string | undefined): CheckResult {
  return problem === undefined ? undefined : { problem }
}

/**
 * Compares the contracts with those of the last release (the newest tag `v…`), because only what was released can
 * be broken. PLINTH_CONTRACT_BASE names another commit to compare with.
 */
async function findBreakingChanges(root: string): Promise<CheckResult> {
  const tag = await runTool(root, ['git', 'describe', '--tags', '--abbrev=0', '--match=v*'])
  const base = process.env.PLINTH_CONTRACT_BASE ?? (tag.code === 0 ? tag.output : undefined)
  if (base === undefined) return { skipped: 'there is no release tag (v…) to compare with yet' }
  const copy = mkdtempSync(join(tmpdir(), 'plinth-released-'))
  try {
    const archive = join(copy, 'released.tar')
    const folders = readdirSync(join(root, 'services')).map((name) => `services/${name}/contract`)
    const known = await runTool(root, [
      'git',
      'ls-tree',
      '--name-only',
      base,
      'buf.yaml',
      'packages/rpc/contract',
      ...folders,
    ])
    for (const command of [
      ['git', 'archive', `--output=${archive}`, base, ...known.output.split('\n').filter(Boolean)],
      ['tar', '-xf', archive, '-C', copy],
    ]) {
      const { code, output } = await runTool(root, command)
      if (code !== 0) return { problem: `Cannot read the contracts of ${base}: ${output}` }
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    return await contractTool('', ['breaking', '--against', copy], `Compared with ${base}: add, never change.`).run(
      root,
    )
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
