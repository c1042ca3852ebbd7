import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { PlatformError } from '@plinth/base'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { writeSkeleton } from './skeleton.ts'

interface NewOptions {
  readonly root?: string
  readonly generate: boolean
}

/** `plinth new service`. */
export function addNewCommand(program: Command, context: CommandContext): void {
  program
    .command('new')
    .description('write the skeleton of a new service')
    .command('service')
    .description('write services/NAME: contract, domain, use case, adapter, entry point, tests')
    .argument('<name>', 'one word in lower case: parcels')
    .option('--root <folder>', 'working copy to write into (default: the one this program runs from)')
    .option('--no-generate', 'do not generate the code of the contract')
    .action(async (name: string, options: NewOptions, command: Command) => {
      const terminal = context.terminal(command.optsWithGlobals())
      const root = resolve(options.root ?? join(import.meta.dirname, '..', '..', '..', '..'))
      const files = await writeSkeleton(root, name)
      const changed = (await addToBuf(root, name)) ? ['buf.yaml'] : []
      if (options.generate) generate(root, name)
      const next = nextSteps({ name, generated: options.generate })
      terminal.answer({ name, files, changed, next }, () => [
        ...files.map((file) => `wrote    ${file}`),
        ...changed.map((file) => `changed  ${file}: the contract is a module of it`),
        ...(options.generate ? [`wrote    services/${name}/contract/gen (npm run contracts)`] : []),
        '',
        'Nothing else was changed. Next:',
        ...next.map((step, at) => `  ${at + 1}. ${step}`),
      ])
    })
}

function nextSteps({ name, generated }: { readonly name: string; readonly generated: boolean }): readonly string[] {
  return [
    ...(generated ? [] : ['npm run contracts']),
    'npm install                       links the new workspace and notes it in package-lock.json',
    `npm test -- services/${name}`,
    `Make it yours: services/${name}/contract/plinth/${name}/v1/${name}.proto first, then the domain`,
    `Add ${name} to the services in tools/tidy/floors.ts and to ARCHITECTURE.md, if it is not there`,
    'npm run tidy -- --update          writes down its imports and exports; read the difference',
    `To run it: add it to apps/plinth/package.json and to apps/plinth/src/host/services.ts`,
  ]
}

async function addToBuf(root: string, name: string): Promise<boolean> {
  const path = join(root, 'buf.yaml')
  const text = await readFile(path, 'utf8')
  const line = `  - path: services/${name}/contract\n`
  if (text.includes(line)) return false
  const modules = [...text.matchAll(/^ {2}- path: services\/.*\n/gm)]
  const last = modules.at(-1)
  const at = last === undefined ? text.indexOf('modules:\n') + 'modules:\n'.length : last.index + last[0].length
  await writeFile(path, text.slice(0, at) + line + text.slice(at))
  return true
}

/** Generates the code of the contract, and puts imports in order: their order depends on the name. */
function generate(root: string, name: string): void {
  const why = run(root, [process.execPath, join(root, 'tools', 'contracts', 'generate.ts')])
  if (why !== undefined) {
    throw new PlatformError(`The files are written, but the code of the contract could not be generated: ${why}`, {
      kind: 'precondition',
      code: 'plinth.contract_not_generated',
    })
  }
  // Without the formatter the service is as good; npm run check would say what it finds.
  run(root, [join(root, 'node_modules', '.bin', 'biome'), 'check', '--write', `services/${name}`])
}

/** Why it failed; undefined when it did not. */
function run(root: string, [program = '', ...words]: readonly string[]): string | undefined {
  const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}` }
  const { status, error, stderr } = spawnSync(program, words, { cwd: root, env, encoding: 'utf8' })
  return status === 0 ? undefined : (error?.message ?? stderr.trim().slice(0, 2000))
}
