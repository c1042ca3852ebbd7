import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AnyModule,
  assemble,
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
  type MissingNames,
  provide,
  secret,
  string,
} from '../index.ts'
import { createTestSection } from '../testing.ts'

const Name = key<string>()('name')
const Port = key<number>()('port')
const Greeting = key<string>()('greeting')
const greeter = defineModule({
  name: 'greeter',
  needs: { who: Name },
  provides: { greeting: Greeting },
  start: ({ who }) => ({ provides: { greeting: `hello ${who}` } }),
})
const server = defineModule({ name: 'server', needs: { port: Port, who: Name }, start: () => ({}) })

/** Compiles only when both types are the same. */
type Same<A, B> = [A, B] extends [B, A] ? true : false
const holds = <Claim extends true>(claim?: Claim) => claim

describe('wiring', () => {
  it('assemble() starts modules with what they need', async () => {
    await using running = await assemble([greeter, provide(Name, 'ada')]).start()
    assert.equal(running.get(Greeting), 'hello ada')
    // @ts-expect-error nobody provides the port
    assert.equal(running.get(Port), undefined)
  })

  it('assemble() does not compile when a need is provided by no module, and refuses it at start', () => {
    // @ts-expect-error 'no module provides': "name"
    assert.throws(() => assemble([greeter]), { code: 'kernel.wiring_broken' })
    // @ts-expect-error 'no module provides': "port"
    assert.throws(() => assemble([greeter, server, provide(Name, 'ada')]), { code: 'kernel.wiring_broken' })
  })

  it('MissingNames is the union of the names of all missing keys, so the type error says them', () => {
    holds<Same<MissingNames<readonly [typeof greeter]>, 'name'>>()
    holds<Same<MissingNames<readonly [typeof greeter, typeof server]>, 'name' | 'port'>>()
    holds<Same<MissingNames<(typeof greeter | typeof server)[]>, 'name' | 'port'>>()
    // @ts-expect-error it is not nothing
    holds<Same<MissingNames<readonly [typeof greeter]>, never>>()
  })

  it('assemble() checks a list chosen at run time when it is assembled', () => {
    const chosen: readonly AnyModule[] = [greeter]
    assert.throws(() => assemble(chosen), {
      code: 'kernel.wiring_broken',
      message: /no module provides name, needed by greeter/,
    })
  })

  it('defineModule() and provide() do not compile with values of a wrong type', () => {
    // @ts-expect-error the name is text
    provide(Name, 5)
    // @ts-expect-error the greeting is text
    defineModule({ name: 'x', provides: { greeting: Greeting }, start: () => ({ provides: { greeting: 5 } }) })
    // @ts-expect-error the greeting is missing
    defineModule({ name: 'x', provides: { greeting: Greeting }, start: () => ({}) })
    // @ts-expect-error there is no such need
    defineModule({ name: 'x', needs: { who: Name }, start: ({ whom }) => ({ stop: () => whom }) })
  })

  it('key() and defineModule() refuse names that graphs and logs could not show', () => {
    assert.throws(() => key<string>()('a b'), RangeError)
    assert.throws(() => key<string>()(''), RangeError)
    assert.throws(() => defineModule({ name: 'a\nb', start: () => ({}) }), RangeError)
  })
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

describe('defineConfig', () => {
  it('defineConfig() infers the type of every field', () => {
    const section = createTestSection(demo, { url: 'u' })
    const mode: 'a' | 'b' = section.current.mode
    const hosts: readonly string[] = section.current.hosts
    // @ts-expect-error an optional secret may be missing
    const token = () => section.current.token.reveal()
    const { name } = configOf(demo)
    holds<Same<typeof name, 'config:demo'>>()
    assert.deepEqual(
      { mode, hosts, name, size: section.current.size },
      { mode: 'a', hosts: ['x'], name: 'config:demo', size: 65_536 },
    )
    assert.throws(token, TypeError)
  })

  it('defineConfig() refuses names that no variable could carry', () => {
    assert.throws(() => defineConfig('my-section', {}), RangeError)
    assert.throws(() => defineConfig('demo', { Upper: integer({ describe: 'x' }) }), RangeError)
    // @ts-expect-error the default is no choice
    assert.throws(() => choice({ of: ['a', 'b'], default: 'c', describe: 'x' }), RangeError)
  })

  it('createTestSection() asks for required fields', () => {
    assert.throws(() => createTestSection(demo), { name: 'TypeError', message: /url has no default/ })
  })
})
