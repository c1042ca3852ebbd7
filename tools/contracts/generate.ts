/**
 * Generates the TypeScript of every contract: `npm run contracts`.
 *
 * Each owner of `.proto` files (packages/rpc and every service) gets its code in its own `contract/gen`. What
 * several contracts share (google.api, google.rpc, plinth.rpc, plinth.type) is generated once, in packages/rpc, and
 * imported from there by package name, so that one type has one descriptor object in a process. The comments of a
 * contract go into `gen/comments.json`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readComments } from './comments.ts'
import { layThirdPartyContracts, thirdPartyFolder } from './third-party.ts'

const root = join(import.meta.dirname, '..', '..')
const options = ['target=ts', 'import_extension=ts', 'erasable_syntax=true']
const validate = 'rewrite_imports=./buf/validate/validate_pb.js:@bufbuild/protovalidate/gen'
const shared = ['google', 'plinth/rpc', 'plinth/type'].map(
  (path) => `rewrite_imports=./${path}/**/*_pb.js:@plinth/rpc/contract`,
)

function generate(input: string, out: string, rewrites: readonly string[]): void {
  const template = {
    version: 'v2',
    plugins: [{ local: 'protoc-gen-es', out, opt: [...options, ...rewrites] }],
    inputs: [{ directory: input }],
  }
  const run = spawnSync('buf', ['generate', '--template', JSON.stringify(template)], { cwd: root, stdio: 'inherit' })
  if (run.error) throw run.error
  if (run.status !== 0) process.exit(run.status ?? 1)
}

/** Beside the generated code, as data: the API reference shows what the contract's author wrote. */
function writeComments(contract: string, out: string): void {
  writeFileSync(join(root, out, 'comments.json'), `${JSON.stringify(readComments(contract), undefined, 2)}\n`)
}

/** Puts new code in the place of the old at once, so that what runs meanwhile never misses a file. */
function replace(old: string, next: string): void {
  rmSync(join(root, old), { recursive: true, force: true })
  renameSync(join(root, next), join(root, old))
}

layThirdPartyContracts()
const sharedContract = 'packages/rpc/contract'
const sharedNext = `${sharedContract}/.gen-next`
rmSync(join(root, sharedNext), { recursive: true, force: true })
generate(thirdPartyFolder, sharedNext, [validate])
rmSync(join(root, sharedNext, 'buf'), { recursive: true, force: true })
generate(sharedContract, sharedNext, [validate])
writeComments(sharedContract, sharedNext)
replace(`${sharedContract}/gen`, sharedNext)
for (const service of readdirSync(join(root, 'services'))) {
  const contract = `services/${service}/contract`
  if (!existsSync(join(root, contract, 'plinth'))) continue
  const next = `${contract}/.gen-next`
  rmSync(join(root, next), { recursive: true, force: true })
  generate(contract, next, [validate, ...shared])
  writeComments(contract, next)
  replace(`${contract}/gen`, next)
}
