/**
 * Generates the TypeScript of every contract: `npm run contracts`.
 *
 * Each owner of `.proto` files (packages/rpc and every service) gets its code in its own `contract/gen`. What
 * several contracts share (google.api, google.rpc, plinth.rpc, plinth.type) is generated once, in packages/rpc, and
 * imported from there by package name, so that one type has one descriptor object in a process. The comments of a
 * contract go into `gen/comments.json`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
function writeComments(contract: string): void {
  const path = join(root, contract, 'gen', 'comments.json')
  writeFileSync(path, `${JSON.stringify(readComments(contract), undefined, 2)}\n`)
}

layThirdPartyContracts()
const sharedOut = 'packages/rpc/contract/gen'
rmSync(join(root, sharedOut), { recursive: true, force: true })
generate(thirdPartyFolder, sharedOut, [validate])
rmSync(join(root, sharedOut, 'buf'), { recursive: true, force: true })
generate('packages/rpc/contract', sharedOut, [validate])
writeComments('packages/rpc/contract')
for (const service of readdirSync(join(root, 'services'))) {
  const contract = `services/${service}/contract`
  if (!existsSync(join(root, contract, 'plinth'))) continue
  rmSync(join(root, contract, 'gen'), { recursive: true, force: true })
  generate(contract, `${contract}/gen`, [validate, ...shared])
  writeComments(contract)
}
