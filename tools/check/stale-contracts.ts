import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Generates the code of all contracts in a copy and compares it with what is committed. Nothing in the working tree
 * is touched, so it may run beside anything.
 */
export async function findStaleContracts(root: string): Promise<string | undefined> {
  const copy = mkdtempSync(join(tmpdir(), 'plinth-contracts-'))
  try {
    const owners = ['packages/rpc', ...readdirSync(join(root, 'services')).map((name) => `services/${name}`)]
    const contracts = owners.map((owner) => `${owner}/contract`).filter((path) => existsSync(join(root, path)))
    for (const path of ['buf.yaml', 'package.json', 'tools/contracts', ...contracts]) {
      cpSync(join(root, path), join(copy, path), { recursive: true })
    }
    for (const owner of ['services', ...owners]) mkdirSync(join(copy, owner), { recursive: true })
    linkModules(join(root, 'node_modules'), join(copy, 'node_modules'))
    const run = spawnSync(process.execPath, ['tools/contracts/generate.ts'], { cwd: copy, encoding: 'utf8' })
    if (run.status !== 0) return `Cannot generate the contracts:\n${run.stdout}${run.stderr}${run.error?.message ?? ''}`
    const stale = contracts.flatMap((path) =>
      compareTrees(join(root, path, 'gen'), join(copy, path, 'gen'), `${path}/gen`),
    )
    if (stale.length === 0) return undefined
    return `Generated code differs from its contracts:\n${stale.join('\n')}\nRun: npm run contracts, and commit the result.`
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Links every installed package but not `.cache`, which the generator writes to. */
function linkModules(from: string, to: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    if (name !== '.cache') symlinkSync(join(from, name), join(to, name))
  }
}

function compareTrees(committed: string, generated: string, label: string): string[] {
  const before = filesOf(committed)
  const after = filesOf(generated)
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .filter((path) => before.get(path) !== after.get(path))
    .map(
      (path) => `  ${label}/${path}: ${before.has(path) ? (after.has(path) ? 'differs' : 'has no source') : 'missing'}`,
    )
}

function filesOf(folder: string): ReadonlyMap<string, string> {
  if (!existsSync(folder)) return new Map()
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    names.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8')]
    }),
  )
}
