import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseExposition } from '../testing.ts'
import { collectProcessMetrics } from './process-metrics.ts'
import { createMetrics } from './registry.ts'

describe('collectProcessMetrics()', () => {
  it('tells about the process, its loop, its memory and its garbage, and stops when disposed', async () => {
    const metrics = createMetrics()
    const collecting = collectProcessMetrics(metrics)
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const gcCount = () =>
      parseExposition(metrics.expose().body)
        .get('nodejs_gc_duration_seconds')
        ?.samples.find(({ name }) => name.endsWith('_count'))
    collectGarbage()
    for (let turn = 0; turn < 1000 && !gcCount(); turn++) await nextTurn()
    assert.ok((gcCount()?.value ?? 0) >= 1)

    const families = parseExposition(metrics.expose().body)
    const value = (name: string, label?: string) =>
      families.get(name)?.samples.find(({ labels }) => !label || [...labels.values()].includes(label))?.value ??
      Number.NaN
    assert.ok(Math.abs(value('process_start_time_seconds') - (Date.now() / 1000 - process.uptime())) < 2)
    assert.ok(value('process_cpu_seconds_total') > 0)
    assert.ok(value('process_resident_memory_bytes') > 1e7)
    assert.ok(value('nodejs_heap_bytes', 'used') <= value('nodejs_heap_bytes', 'total'))
    assert.ok(value('nodejs_eventloop_utilization_ratio') >= 0 && value('nodejs_eventloop_utilization_ratio') <= 1)
    assert.ok(value('nodejs_eventloop_delay_seconds', 'p99') >= 0)
    assert.equal(value('nodejs_version_info', process.version), 1)
    if (process.platform === 'linux') assert.ok(value('process_open_fds') >= 3)

    collecting[Symbol.dispose]()
    assert.deepEqual([...parseExposition(metrics.expose().body).keys()], ['nodejs_gc_duration_seconds'])
  })
})
