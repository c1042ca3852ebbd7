import { readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** A group of test files that run under the same conditions. */
export interface Tier {
  readonly name: string
  /** How many files run at once. */
  readonly concurrency: number
  /** A file that takes longer is killed with everything it started, and has failed. */
  readonly fileTimeoutMs: number
}

// Many times what a file takes on a quiet machine: the limit is for those that hang.
const tiers = {
  hermetic: { name: 'hermetic', concurrency: 2, fileTimeoutMs: 120_000 },
  integration: { name: 'integration', concurrency: 2, fileTimeoutMs: 300_000 },
  simulation: { name: 'simulation', concurrency: 2, fileTimeoutMs: 600_000 },
} as const satisfies Record<string, Tier>

// What starts whole processes or measures them gets the machine for itself.
const wholeHouse = { concurrency: 1, fileTimeoutMs: 600_000 }

const skippedFolders = new Set(['node_modules', 'gen', 'fixtures', 'dist', '.git', '.plinth'])

/** The tier of a file (path with `/`, relative to the root), or undefined if it is no test. */
export function tierOf(path: string): Tier | undefined {
  if (!path.endsWith('.test.ts')) return undefined
  const [top, folder] = path.split('/')
  if (top === 'tests') return { name: `tests/${folder}`, ...wholeHouse }
  if (path.endsWith('.int.test.ts')) return tiers.integration
  if (path.endsWith('.sim.test.ts')) return tiers.simulation
  return tiers.hermetic
}

/** A tier with its files, sorted. */
export interface TierFiles {
  readonly tier: Tier
  readonly files: readonly string[]
}

/**
 * Finds every test file under `root`, cheapest tier first.
 *
 * `filters` are path prefixes or parts of paths; with none of them all files are taken.
 */
export function discover(root: string, filters: readonly string[]): readonly TierFiles[] {
  const byTier = new Map<string, { tier: Tier; files: string[] }>()
  const parts = filters.map((filter) => filter.replaceAll('\\', '/').replace(/^\.\//, ''))
  for (const path of walk(root, root)) {
    const tier = tierOf(path)
    if (!tier || (parts.length > 0 && !parts.some((part) => path.includes(part)))) continue
    byTier.getOrInsertComputed(tier.name, () => ({ tier, files: [] })).files.push(path)
  }
  const order = (name: string) => {
    const at = Object.keys(tiers).indexOf(name)
    return at < 0 ? 99 : at
  }
  return [...byTier.values()]
    .map(({ tier, files }) => ({ tier, files: files.sort() }))
    .sort((a, b) => order(a.tier.name) - order(b.tier.name) || a.tier.name.localeCompare(b.tier.name))
}

function* walk(root: string, folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (!skippedFolders.has(entry.name)) yield* walk(root, join(folder, entry.name))
    } else if (entry.name.endsWith('.test.ts')) {
      yield relative(root, join(folder, entry.name)).split(sep).join('/')
    }
  }
}
