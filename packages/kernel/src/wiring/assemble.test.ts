import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assemble,
  bindingOf,
  boolean,
  bytes,
  choice,
  configOf,
  defineConfig,
  defineModule,
  durationMs,
  integer,
  key,
  list,
  provide,
  secret,
  string,
} from '../index.ts'
import { createTestSection } from '../testing.ts'

const Name = key<string>()('name')
const Greeting = key<string>()('greeting')
const greeter = defineModule({
  name: 'greeter',
  needs: { who: Name },
  provides: { greeting: Greeting },
  start: ({ who }) => ({ provides: { greeting: `hello ${who}` } }),
})

test('assemble() starts modules with what they need', async () => {
  await using running = await assemble([greeter, provide(Name, 'ada')]).start()
  assert.equal(running.get(Greeting), 'hello ada')
})

test('assemble() does not compile when a need is provided by no module, and refuses it at start', () => {
  // @ts-expect-error no module provides 'name'
  assert.throws(() => assemble([greeter]), { code: 'kernel.wiring_broken' })
})

const demo = defineConfig('demo', {
  timeoutMs: durationMs({ default: '30m', min: '1m', max: '1d', describe: 'x' }),
  count: integer({ default: 3, describe: 'x' }),
  on: boolean({ default: true, describe: 'x' }),
  mode: choice({ of: ['a', 'b'], default: 'a', describe: 'x' }),
  token: secret({ optional: true, describe: 'x' }),
  hosts: list({ default: ['x'], describe: 'x' }),
  size: bytes({ default: '64KiB', describe: 'x' }),
  url: string({ describe: 'x' }),
})

test('defineConfig() infers the type of every field', () => {
  const section = createTestSection(demo, { url: 'u' })
  const mode: 'a' | 'b' = section.current.mode
  const timeout: number = section.current.timeoutMs
  const hosts: readonly string[] = section.current.hosts
  // @ts-expect-error an optional secret may be missing
  section.current.token?.reveal().length satisfies never
  const Demo = configOf(demo)
  const name: 'config:demo' = Demo.name
  assert.deepEqual({ mode, timeout, hosts, name }, { mode: 'a', timeout: 1_800_000, hosts: ['x'], name: 'config:demo' })
  assert.equal(section.current.size, 65536)
  assert.equal(typeof bindingOf, 'function')
})
