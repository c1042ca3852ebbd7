/**
 * Generates the TypeScript of every contract: `npm run contracts`.
 *
 * Each owner of `.proto` files (packages/rpc and every service) gets its code in its own `contract/gen`. What
 * several contracts share (google.api, google.rpc, plinth.rpc, plinth.type) is generated once, in packages/rpc, and
 * imported from there by package name, so that one type has one descriptor object in a process.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
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

layThirdPartyContracts()
const sharedOut = 'packages/rpc/contract/gen'
rmSync(join(root, sharedOut), { recursive: true, force: true })
generate(thirdPartyFolder, sharedOut, [validate])
rmSync(join(root, sharedOut, 'buf'), { recursive: true, force: true })
generate('packages/rpc/contract', sharedOut, [validate])
for (const service of readdirSync(join(root, 'services'))) {
  const contract = `services/${service}/contract`
  if (!existsSync(join(root, contract, 'plinth'))) continue
  rmSync(join(root, contract, 'gen'), { recursive: true, force: true })
  generate(contract, `${contract}/gen`, [validate, ...shared])
}
