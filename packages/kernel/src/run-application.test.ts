import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { createLogger } from '@plinth/telemetry'
import { createMemorySink } from '@plinth/telemetry/testing'
import {
  type AnyModule,
  assemble,
  defineModule,
  type ModuleDefinition,
  type ProcessSignal,
  type RunOptions,
  runApplication,
} from './index.ts'

type Start = ModuleDefinition<Record<never, never>, Record<never, never>>['start']

/** Runs one module under signals that the test sends. */
function running(start: Start, options: RunOptions<never> = {}) {
  const clock = createFakeClock()
  const sink = createMemorySink()
  const listeners = new Map<ProcessSignal, () => void>()
  const modules: readonly AnyModule[] = [defineModule({ name: 'part', start })]
  const code = runApplication(assemble(modules), {
    clock,
    log: createLogger({ clock, sink, level: 'info' }),
    signals: {
      on(signal, listener) {
        listeners.set(signal, listener)
        return { [Symbol.dispose]: () => void listeners.delete(signal) }
      },
    },
    ...options,
  } as RunOptions<never>)
  const send = async (signal: ProcessSignal) => {
    listeners.get(signal)?.()
    await clock.advance(0)
  }
  return {
    clock,
    code,
    send,
    listeners,
    events: () => sink.records.map((record) => record.event),
    records: () => sink.records,
  }
}

describe('runApplication', () => {
  it('runApplication() tells its life in the log and lets go of the signals', async () => {
    const { clock, code, send, listeners, events, records } = running(() => ({ stop: () => {} }))
    await clock.advance(0)
    await send('SIGTERM')
    assert.equal(await code, 0)
    assert.deepEqual(events(), ['application_started', 'application_stopping', 'application_stopped'])
    assert.equal(records()[2]?.reason, 'SIGTERM')
    assert.equal(listeners.size, 0)
  })

  it('runApplication() answers 1 when a hook was cut off, and names it', async () => {
    const { clock, code, send, records } = running(() => ({ stop: () => new Promise(() => {}) }), {
      stopTimeoutMs: 1000,
    })
    await clock.advance(0)
    await send('SIGINT')
    await clock.advance(1000)
    assert.equal(await code, 1)
    assert.deepEqual(records().at(-1)?.cut_off, ['part.stop'])
  })

  it('runApplication() answers 128 + the number of the signal that forced it', async () => {
    const { clock, code, send, events } = running(() => ({ stop: () => new Promise(() => {}) }))
    await clock.advance(0)
    await send('SIGINT')
    await send('SIGTERM')
    assert.equal(await code, 143)
    assert.ok(events().includes('application_forced'))
  })

  it('runApplication() takes the same signal within 500 ms for an echo, as npm makes one, and forces by a later one', async () => {
    const { clock, code, send, events } = running(() => ({ stop: () => new Promise(() => {}) }))
    await clock.advance(0)
    await send('SIGINT')
    await clock.advance(499)
    await send('SIGINT')
    assert.ok(!events().includes('application_forced'))
    await clock.advance(1)
    await send('SIGINT')
    assert.equal(await code, 130)
  })

  it('runApplication() answers the exit code of the kind when the start fails', async () => {
    const fault = new PlatformError('Cannot reach the database', { kind: 'unavailable', code: 'data.down' })
    const { code, records } = running(() => Promise.reject(fault))
    assert.equal(await code, 21)
    assert.deepEqual(
      [records().at(-1)?.event, records().at(-1)?.code],
      ['application_start_failed', 'kernel.start_failed'],
    )
  })

  it('runApplication() answers 0 when a signal gives the start up, and is forced in the middle of it by a second one', async () => {
    const obedient: Start = (_needs, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const first = running(obedient)
    await first.clock.advance(0)
    await first.send('SIGTERM')
    assert.equal(await first.code, 0)
    const second = running(() => new Promise(() => {}))
    await second.clock.advance(0)
    await second.send('SIGTERM')
    await second.send('SIGINT')
    assert.equal(await second.code, 130)
  })

  it('runApplication() stops on SIGHUP unless it reloads, and when onStarted fails', async () => {
    const stopped = running(() => ({}))
    await stopped.clock.advance(0)
    await stopped.send('SIGHUP')
    assert.equal(await stopped.code, 0)
    const failing = running(() => ({}), { onStarted: () => Promise.reject(new Error('no')) })
    assert.equal(await failing.code, 1)
    assert.ok(failing.events().includes('application_crashed'))
  })

  it('runApplication() logs a background task that fails and one that is given up', async () => {
    const { clock, code, send, events } = running((_needs, context) => {
      context.run('loop', () => Promise.reject(new Error('no')), { restartsMax: 1 })
      return {}
    })
    await clock.advance(200)
    await send('SIGTERM')
    assert.equal(await code, 0)
    const tasks = events().filter((event) => String(event).startsWith('background_task'))
    assert.deepEqual(tasks, ['background_task_failed', 'background_task_given_up'])
  })
})
