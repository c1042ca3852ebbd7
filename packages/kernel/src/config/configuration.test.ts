import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { type PlatformError, Secret, systemClock } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import fc from 'fast-check'
import {
  assemble,
  type ConfigProblem,
  type ConfigSource,
  configJsonSchema,
  configOf,
  createConfigModule,
  defineConfig,
  defineModule,
  durationMs,
  integer,
  key,
  list,
  loadConfiguration,
  secret,
  string,
} from '../index.ts'
import { parseConfigFile } from './parse-file.ts'
import { editDistance, suggest } from './suggest.ts'

const orders = defineConfig('orders', {
  payTimeoutMs: durationMs({ default: '30m', min: '1m', max: '1d', describe: 'Time to pay' }),
  linesMax: integer({ default: 100, min: 1, max: 1000, describe: 'Lines' }),
  tags: list({ default: [], describe: 'Tags' }),
})
const gateway = defineConfig('gateway', {
  url: string({ describe: 'Where it is', restart: true, default: 'http://localhost' }),
  token: secret({ describe: 'Its token', optional: true }),
})
const definitions = [orders, gateway] as const

/** A file that a test rewrites. */
function memoryFile(name: string, text: string): ConfigSource & { text: string } {
  return {
    name,
    text,
    async read() {
      return parseConfigFile(name, this.text)
    },
  }
}

const deps = { clock: systemClock }
const problemsOf = (error: PlatformError) => error.details.problems as unknown as readonly ConfigProblem[]

describe('loadConfiguration', () => {
  it('loadConfiguration() lays flags over environment over later files over earlier ones over defaults', async () => {
    const environment = { PLINTH_ORDERS__LINES_MAX: '30', PLINTH_ORDERS__TAGS: 'a,b', PLINTH_HOME: '/x', PATH: '/bin' }
    const configuration = await loadConfiguration(deps, {
      definitions,
      sources: [
        memoryFile('a.yaml', 'orders: { linesMax: 10, payTimeoutMs: 10m }'),
        memoryFile('b.toml', 'orders.linesMax = 20'),
      ],
      environment,
      flags: ['orders.linesMax=40'],
    })
    assert.deepEqual(
      { ...configuration.section(orders).current },
      { payTimeoutMs: 600_000, linesMax: 40, tags: ['a', 'b'] },
    )
    const entry = configuration.explain().find(({ key: name }) => name === 'orders.linesMax')
    assert.deepEqual(entry, {
      key: 'orders.linesMax',
      kind: 'integer',
      value: '40',
      layer: 'flag',
      origin: '--set orders.linesMax',
      hides: ['PLINTH_ORDERS__LINES_MAX', 'b.toml:1', 'a.yaml:1'],
      default: '100',
      bounds: '1 to 1000',
      description: 'Lines',
      required: false,
      restart: false,
      variable: 'PLINTH_ORDERS__LINES_MAX',
    })
  })

  it('loadConfiguration() reports everything wrong at once, each with its place and a suggestion', async () => {
    const strict = defineConfig('strict', { name: string({ describe: 'A name' }) })
    const loading = loadConfiguration(deps, {
      definitions: [...definitions, strict],
      sources: [
        memoryFile('a.yaml', 'orders:\n  linesMax: 0\n  payTimeoutms: 1m\norder:\n  x: 1\ngateway: 5\n'),
        memoryFile('b.yaml', '['),
      ],
      environment: { PLINTH_ORDERS__PAY_TIMEOUT_MS: '3d', PLINTH_ORDERS__LINE_MAX: '5' },
      flags: ['orders.linesMax=many', 'nonsense'],
    })
    await assert.rejects(loading, (error: PlatformError) => {
      assert.equal(error.code, 'kernel.config_invalid')
      const found = problemsOf(error).map(({ key: name, place, message }) => `${name}|${place}|${message}`)
      assert.deepEqual(found.toSorted().slice(0, -2), [
        'gateway|a.yaml:6|must be a table of fields',
        'order.x|a.yaml:5|is no section of the configuration; did you mean orders?',
        'orders.lineMax|PLINTH_ORDERS__LINE_MAX|is not known; did you mean orders.linesMax?',
        'orders.linesMax|--set orders.linesMax|must be a whole number, received "many"',
        'orders.linesMax|a.yaml:2|must be 1 to 1000, received 0',
        'orders.payTimeoutMs|PLINTH_ORDERS__PAY_TIMEOUT_MS|must be 1m to 1d, received 3d',
        'orders.payTimeoutms|a.yaml:3|is not known; did you mean orders.payTimeoutMs?',
        'strict.name||is required and has no value: A name',
      ])
      assert.match(found.toSorted().at(-2) ?? '', /^\|--set nonsense\|must be section/)
      assert.match(found.toSorted().at(-1) ?? '', /^\|b\.yaml:1\|/)
      return true
    })
  })

  it('loadConfiguration() reads secrets by reference and shows them nowhere', async () => {
    const environment = { TOKEN: 'hunter2-hunter2' }
    const source = memoryFile('a.yaml', 'gateway: { token: { $secret: { env: TOKEN } } }')
    const configuration = await loadConfiguration(deps, { definitions, sources: [source], environment })
    const { token } = configuration.section(gateway).current
    assert.equal(token?.reveal(), 'hunter2-hunter2')
    assert.ok(token instanceof Secret)
    const seen = inspect([configuration.explain(), configuration.section(gateway).current, configuration], {
      depth: 9,
      showHidden: true,
    })
    assert.ok(!JSON.stringify(configuration.explain()).includes('hunter2'))
    assert.ok(!seen.includes('hunter2'))
  })

  it('loadConfiguration() refuses secrets in files and flags, and dangling references, without repeating them', async () => {
    for (const options of [
      { sources: [memoryFile('a.yaml', 'gateway: { token: hunter2 }')] },
      { flags: ['gateway.token=hunter2'] },
      { sources: [memoryFile('a.yaml', 'gateway: { token: { $secret: { env: NOT_SET } } }')] },
      { sources: [memoryFile('a.yaml', 'gateway: { token: { $secret: { file: /nonexistent/hunter } } }')] },
      { sources: [memoryFile('a.yaml', 'gateway: { token: { $secret: { vault: x } } }')] },
    ]) {
      await assert.rejects(loadConfiguration(deps, { definitions, ...options }), (error: PlatformError) => {
        assert.equal(problemsOf(error).length, 1)
        assert.ok(!error.message.includes('hunter2'), error.message)
        return true
      })
    }
    const fromVariable = await loadConfiguration(deps, {
      definitions,
      environment: { PLINTH_GATEWAY__TOKEN: 'hunter2' },
    })
    assert.equal(fromVariable.section(gateway).current.token?.reveal(), 'hunter2')
  })

  it('createConfigModule() provides every section under its key, and the compiler knows them', async () => {
    const configuration = await loadConfiguration(deps, { definitions })
    const Lines = key<number>()('lines')
    const reader = defineModule({
      name: 'reader',
      needs: { config: configOf(orders) },
      provides: { lines: Lines },
      start: ({ config }) => ({ provides: { lines: config.current.linesMax } }),
    })
    await using running = await assemble([createConfigModule(configuration), reader]).start()
    assert.equal(running.get(Lines), 100)
  })

  it('configJsonSchema() describes every field', () => {
    const schema = configJsonSchema(definitions) as { properties: { orders: { properties: { linesMax: object } } } }
    assert.deepEqual(schema.properties.orders.properties.linesMax, {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      description: 'Lines',
      default: 100,
    })
  })

  it('suggest() finds what was meant and nothing else', () => {
    assert.equal(suggest('payTimoutMs', ['linesMax', 'payTimeoutMs']), 'payTimeoutMs')
    assert.equal(suggest('colour', ['linesMax']), undefined)
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        assert.equal(editDistance(a, b), editDistance(b, a))
        assert.equal(editDistance(a, b) === 0, a === b)
        assert.ok(editDistance(a, b) <= Math.max(a.length, b.length))
      }),
    )
  })
})

describe('Configuration changes', () => {
  async function loaded(text = 'orders: { linesMax: 10 }') {
    const clock = createFakeClock()
    const file = memoryFile('a.yaml', text)
    const configuration = await loadConfiguration({ clock }, { definitions, sources: [file] })
    return { clock, file, configuration, section: configuration.section(orders) }
  }

  it('Configuration.reload() swaps one frozen snapshot, tells subscribers and reports the difference', async () => {
    const { file, configuration, section } = await loaded()
    const before = section.current
    const other = configuration.section(gateway).current
    const told: unknown[] = []
    section.subscribe({
      apply: ({ previous, next, changed }) =>
        told.push([previous.linesMax, next.linesMax, [...changed], section.current === next]),
    })
    file.text = 'orders: { linesMax: 20 }'
    assert.deepEqual(await configuration.reload(), {
      version: 2,
      changes: [{ key: 'orders.linesMax', from: '10', to: '20', place: 'a.yaml:1' }],
    })
    assert.deepEqual(told, [[10, 20, ['linesMax'], true]])
    assert.equal(before.linesMax, 10)
    assert.ok(Object.isFrozen(section.current))
    assert.equal(configuration.section(gateway).current, other)
    assert.deepEqual((await configuration.reload()).changes, [])
  })

  it('Configuration.reload() keeps everything when the new text is invalid', async () => {
    const { file, configuration, section } = await loaded()
    const before = section.current
    file.text = 'orders: { linesMax: 20, payTimeoutMs: never }'
    await assert.rejects(configuration.reload(), { code: 'kernel.config_invalid' })
    assert.equal(section.current, before)
    assert.equal(configuration.version, 1)
  })

  it('Configuration.reload() keeps everything when one subscriber objects, fails or does not answer in time', async () => {
    const { clock, file, configuration, section } = await loaded()
    const before = section.current
    const applied: string[] = []
    const subscribers = [
      section.subscribe({
        check: ({ next }) => (next.linesMax > 15 ? 'too many lines' : undefined),
        apply: () => applied.push('a'),
      }),
      section.subscribe({ check: () => Promise.reject(new Error('broken')) }),
      section.subscribe({ check: () => new Promise(() => {}) }),
    ]
    file.text = 'orders: { linesMax: 20 }'
    const refused = assert.rejects(configuration.reload(), (error: PlatformError) => {
      assert.equal(error.code, 'kernel.config_vetoed')
      assert.deepEqual(error.details.reasons, [
        'orders: too many lines',
        'orders: Error: broken',
        'orders: no answer within 2000 ms',
      ])
      return true
    })
    await clock.advance(2000)
    await refused
    assert.equal(section.current, before)
    assert.deepEqual(applied, [])
    for (const each of subscribers) each[Symbol.dispose]()
    assert.equal((await configuration.reload()).version, 2)
    assert.equal(clock.pendingTimers, 0)
  })

  it('Configuration.change() lays a value on top until it is taken back, by the same rules', async () => {
    const { file, configuration, section } = await loaded()
    await configuration.change({ orders: { linesMax: 500 } })
    file.text = 'orders: { linesMax: 20 }'
    assert.deepEqual((await configuration.reload()).changes, [])
    assert.equal(section.current.linesMax, 500)
    await assert.rejects(configuration.change({ orders: { linesMax: 5000 } }), { code: 'kernel.config_invalid' })
    await assert.rejects(configuration.change({ orders: { lineMax: 5 } }), /did you mean orders\.linesMax/)
    await assert.rejects(
      configuration.change({ orders: 5 } as never),
      /orders \(change at run time\) must be a table of fields/,
    )
    assert.equal(section.current.linesMax, 500)
    const { changes } = await configuration.change({ orders: { linesMax: null } })
    assert.deepEqual(changes, [{ key: 'orders.linesMax', from: '500', to: '20', place: 'a.yaml:1' }])
  })

  it('Configuration.reload() refuses a live change of a field that needs a restart, and says so', async () => {
    const { file, configuration, section } = await loaded()
    file.text = 'orders: { linesMax: 20 }\ngateway: { url: http://other }'
    await assert.rejects(configuration.reload(), {
      code: 'kernel.config_restart_needed',
      kind: 'precondition',
      message:
        'Cannot change while running, restart to apply: gateway.url (a.yaml:2) from http://localhost to http://other',
    })
    assert.equal(section.current.linesMax, 10)
  })

  it('Configuration transactions run one after another, and waiting reloads become one', async () => {
    const { file, configuration, section } = await loaded()
    const seen: number[] = []
    section.subscribe({
      async check({ next }) {
        await new Promise(setImmediate)
        seen.push(next.linesMax)
        return undefined
      },
    })
    file.text = 'orders: { linesMax: 20 }'
    const reloads = [configuration.reload(), configuration.reload()]
    const change = configuration.change({ orders: { linesMax: 30 } })
    assert.equal(reloads[0], reloads[1])
    await Promise.all([...reloads, change])
    assert.deepEqual(seen, [20, 30])
    assert.equal(configuration.version, 3)
  })
})
