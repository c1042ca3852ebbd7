import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError, sleep } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { currentScope, isOutermostScope, type Scope, withScope } from '@plinth/concurrency'
import {
  type AnyModule,
  assemble,
  defineModule,
  formatReport,
  type HookReport,
  key,
  type ModuleHooks,
} from '../index.ts'

const [A, B, C, D] = [key<string>()('a'), key<string>()('b'), key<string>()('c'), key<string>()('d')]
const parts = { a: A, b: B, c: C, d: D }

/** A module that provides the key of its name and records what happens to it. */
function recorded(log: string[], name: keyof typeof parts, options: Recorded = {}): AnyModule {
  return defineModule({
    name,
    needs: Object.fromEntries((options.after ?? []).map((each) => [each, parts[each]])),
    provides: { own: parts[name] },
    async start(_needs, context) {
      log.push(`start ${name}`)
      context.signal.addEventListener('abort', () => log.push(`abort ${name}`))
      await options.start?.(context.signal)
      log.push(`started ${name}`)
      return {
        provides: { own: name },
        ...(options.drain && { drain: options.drain }),
        async stop(scope) {
          log.push(`stop ${name}`)
          await options.stop?.(scope)
          log.push(`stopped ${name}`)
        },
      }
    },
  })
}

interface Recorded {
  readonly after?: readonly (keyof typeof parts)[]
  readonly start?: (signal: AbortSignal) => Promise<void>
  readonly drain?: NonNullable<ModuleHooks['drain']>
  readonly stop?: (scope: Scope) => Promise<void>
}

const forever = () => new Promise<void>(() => {})
const obedient = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

describe('start', () => {
  it('Assembly.start() starts in parallel what is free and in order what is not', async () => {
    const log: string[] = []
    const gate = Promise.withResolvers<void>()
    const starting = assemble([
      recorded(log, 'd', { after: ['b', 'c'] }),
      recorded(log, 'b', { after: ['a'], start: () => gate.promise }),
      recorded(log, 'c', { after: ['a'] }),
      recorded(log, 'a'),
    ]).start()
    await new Promise(setImmediate)
    assert.deepEqual(log, ['start a', 'started a', 'start b', 'start c', 'started c'])
    gate.resolve()
    const running = await starting
    assert.deepEqual(log.slice(5), ['started b', 'start d', 'started d'])
    assert.equal(running.get(D), 'd')
    log.length = 0
    const report = await running.stop()
    assert.deepEqual(
      log.filter((line) => line.startsWith('stop')),
      ['stop d', 'stopped d', 'stop c', 'stop b', 'stopped c', 'stopped b', 'stop a', 'stopped a'],
    )
    assert.equal(report.clean, true)
  })

  it('Assembly.start() stops what started when another start fails, and cancels what is starting', async () => {
    const log: string[] = []
    const clock = createFakeClock()
    const broken = new PlatformError('Cannot open: the disk is gone', { kind: 'unavailable', code: 'data.gone' })
    const assembly = assemble([
      recorded(log, 'a'),
      recorded(log, 'b', { after: ['a'], start: () => Promise.reject(broken) }),
      recorded(log, 'c', { start: obedient }),
      recorded(log, 'd', { after: ['b'] }),
    ])
    await assert.rejects(assembly.start({ clock }), (error: PlatformError) => {
      assert.equal(error.code, 'kernel.start_failed')
      assert.equal(error.kind, 'unavailable')
      assert.equal(error.cause, broken)
      assert.deepEqual(error.details.path, ['b', 'd'])
      return true
    })
    assert.deepEqual(
      log.filter((line) => !line.startsWith('start')),
      ['abort b', 'abort c', 'abort a', 'stop a', 'stopped a'],
    )
    assert.ok(!log.includes('start d'))
    assert.equal(clock.pendingTimers, 0)
  })

  it('Assembly.start() gives each chain link its share, cuts off what stalls and stops it when it comes back late', async () => {
    const log: string[] = []
    const clock = createFakeClock()
    const late = Promise.withResolvers<void>()
    const assembly = assemble([
      recorded(log, 'a', { start: () => late.promise }),
      recorded(log, 'b', { after: ['a'] }),
      recorded(log, 'c'),
    ])
    const starting = assembly.start({ clock, startTimeoutMs: 10_000 })
    const refused = assert.rejects(starting, { code: 'kernel.start_failed', kind: 'timeout' })
    await clock.advance(4_700)
    assert.ok(!log.includes('abort a'))
    await clock.advance(300)
    await refused
    assert.ok(log.includes('stopped c'))
    assert.ok(!log.includes('stop a'))
    late.resolve()
    await clock.advance(0)
    assert.deepEqual(log.slice(-3), ['started a', 'stop a', 'stopped a'])
    assert.equal(clock.pendingTimers, 0)
  })

  it('Assembly.start() stops a module that does not hand over what it declares', async () => {
    const log: string[] = []
    const liar = defineModule({
      name: 'liar',
      provides: { own: A },
      start: () => ({ provides: {} as { own: string }, stop: () => void log.push('stop liar') }),
    })
    await assert.rejects(assemble([liar]).start(), {
      code: 'kernel.start_failed',
      message: /liar failed to start: TypeError: The module liar did not hand over a$/,
    })
    assert.deepEqual(log, ['stop liar'])
  })

  it('Assembly.start() gives up when its signal aborts', async () => {
    const log: string[] = []
    const controller = new AbortController()
    const starting = assemble([recorded(log, 'a'), recorded(log, 'b', { after: ['a'], start: obedient })]).start({
      signal: controller.signal,
    })
    const refused = assert.rejects(starting, { kind: 'cancelled' })
    await new Promise(setImmediate)
    controller.abort()
    await refused
    assert.deepEqual(log.slice(-2), ['stop a', 'stopped a'])
  })

  it('Assembly.start() refuses options out of bounds, all at once', async () => {
    const assembly = assemble([])
    await assert.rejects(
      assembly.start({ startTimeoutMs: 0, stopTimeoutMs: Number.NaN, preStopWaitMs: -1, drainTimeoutMs: -1 }),
      {
        name: 'RangeError',
        message: /startTimeoutMs.*stopTimeoutMs.*preStopWaitMs.*drainTimeoutMs/,
      },
    )
  })

  it('Running.startReport names the chain that took longest', async () => {
    const clock = createFakeClock()
    const log: string[] = []
    const wait = (byMs: number) => () => new Promise<void>((resolve) => void clock.setTimer(resolve, byMs))
    const starting = assemble([
      recorded(log, 'a', { start: wait(10) }),
      recorded(log, 'b', { start: wait(30) }),
      recorded(log, 'c', { after: ['a', 'b'], start: wait(5) }),
    ]).start({ clock })
    await clock.advance(100)
    const running = await starting
    assert.deepEqual(running.startReport.criticalPath, ['b', 'c'])
    assert.equal(running.startReport.tookMs, 35)
    assert.match(formatReport(running.startReport), /^started in 35 ms by b -> c\n {2}b start ok 30 ms/)
    await running.stop()
  })
})

describe('stop', () => {
  it('Running.stop() turns readiness off, waits, drains all at once, then stops', async () => {
    const log: string[] = []
    const clock = createFakeClock()
    const drain = (name: string) => () => void log.push(`drain ${name}`)
    const running = await assemble([
      recorded(log, 'a', { drain: drain('a') }),
      recorded(log, 'b', { after: ['a'], drain: drain('b') }),
    ]).start({ clock, preStopWaitMs: 3000 })
    log.length = 0
    const stopping = running.stop('test')
    assert.equal((await running.health.report()).phase, 'draining')
    await clock.advance(2999)
    assert.deepEqual(log, [])
    await clock.advance(1)
    const report = await stopping
    assert.deepEqual(log, ['drain a', 'drain b', 'abort b', 'stop b', 'stopped b', 'abort a', 'stop a', 'stopped a'])
    assert.equal(report.tookMs, 3000)
    assert.equal(report, await running.stop('again'))
  })

  it('Running.stop() does not let one stalled hook eat the time of the others', async () => {
    const log: string[] = []
    const clock = createFakeClock()
    const running = await assemble([
      recorded(log, 'a'),
      recorded(log, 'b', { after: ['a'], stop: forever }),
      recorded(log, 'c', { after: ['b'], drain: forever }),
    ]).start({ clock, stopTimeoutMs: 8000 })
    const stopping = running.stop()
    await clock.advance(8000)
    const report = await stopping
    const outcomes = report.hooks.map(({ module, hook, outcome, tookMs }) => [module, hook, outcome, tookMs])
    assert.deepEqual(outcomes, [
      ['c', 'drain', 'cut_off', 4000],
      ['c', 'stop', 'ok', 0],
      ['b', 'stop', 'cut_off', 2000],
      ['a', 'stop', 'ok', 0],
    ])
    assert.equal(report.clean, false)
    assert.equal(clock.pendingTimers, 0)
  })

  it('Running.stop() goes on after a hook that throws', async () => {
    const log: string[] = []
    const seen: HookReport[] = []
    const running = await assemble([
      recorded(log, 'a'),
      recorded(log, 'b', { after: ['a'], stop: () => Promise.reject(new Error('no')) }),
    ]).start({ observer: { onHook: (report) => seen.push(report) } })
    const report = await running.stop()
    assert.deepEqual(
      report.hooks.map(({ module, outcome }) => [module, outcome]),
      [
        ['b', 'failed'],
        ['a', 'ok'],
      ],
    )
    assert.deepEqual(seen.slice(2), report.hooks)
    assert.equal(report.hooks[0]?.error?.kind, 'internal')
  })

  it('Running.force() leaves the hook under way behind and calls no further one', async () => {
    const log: string[] = []
    const running = await assemble([recorded(log, 'a'), recorded(log, 'b', { after: ['a'], stop: forever })]).start()
    const stopping = running.stop()
    await new Promise(setImmediate)
    running.force()
    const report = await stopping
    assert.equal(report.forced, true)
    assert.deepEqual(
      report.hooks.map(({ module, outcome }) => [module, outcome]),
      [
        ['b', 'cut_off'],
        ['a', 'skipped'],
      ],
    )
  })

  it('ModuleContext.run() supervises a task that ends with its module', async () => {
    const clock = createFakeClock()
    const failures: (number | undefined)[] = []
    let runs = 0
    const worker = defineModule({
      name: 'worker',
      async start(_needs, context) {
        context.run('loop', async (scope) => {
          if (++runs < 3) throw new Error('again')
          await obedient(scope.signal)
        })
        return {}
      },
    })
    const running = await assemble([worker]).start({
      clock,
      observer: { onTaskFailure: ({ pauseMs }) => failures.push(pauseMs) },
    })
    await clock.advance(300)
    assert.deepEqual([runs, failures], [3, [100, 200]])
    const report = await running.stop()
    assert.equal(report.clean, true)
    assert.equal(clock.pendingTimers, 0)
  })

  it('Module.start() runs outside its own deadline, so that what it begins can outlive it', async () => {
    const clock = createFakeClock()
    const outer = new AbortController()
    let isLoose = false
    let ticks = 0
    const server = defineModule({
      name: 'server',
      start(_needs, context) {
        isLoose = isOutermostScope(currentScope())
        context.run('ticks', async (scope) => {
          for (;;) {
            await sleep(clock, 1000, scope.signal)
            ticks++
          }
        })
        return {}
      },
    })
    const assembly = assemble([server])
    const running = await withScope({ timeoutMs: 500, clock, signal: outer.signal }, () =>
      assembly.start({ clock, startTimeoutMs: 1000 }),
    )
    await clock.advance(100_000)
    assert.deepEqual([isLoose, ticks], [true, 100])
    assert.equal((await running.stop()).clean, true)
  })

  it('ModuleContext.run() shows a task that was given up in the health of the application', async () => {
    const clock = createFakeClock()
    const worker = defineModule({
      name: 'worker',
      start(_needs, context) {
        context.run('loop', () => Promise.reject(new Error('never')), { restartsMax: 1 })
        return {}
      },
    })
    const running = await assemble([worker]).start({ clock })
    await clock.advance(1000)
    const { status, ready, reasons } = await running.health.report()
    assert.deepEqual({ status, ready }, { status: 'degraded', ready: true })
    assert.match(reasons[0] ?? '', /^worker\.loop: the background task was given up/)
    await running.stop()
    assert.deepEqual((await running.health.report()).checks, [])
  })
})
