import { readdirSync } from 'node:fs'
import { constants, monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'
import type { Metrics } from './registry.ts'

const gcKinds = new Map<unknown, string>([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
])

/**
 * Adds the metrics of the process and its runtime, under the names dashboards know from other clients: CPU, memory,
 * open files, start time; delay and utilisation of the event loop, garbage collection, heap. Delay and utilisation
 * are those since the last exposition. Disposing stops the measuring.
 */
export function collectProcessMetrics(metrics: Metrics): Disposable {
  const parts = new DisposableStack()
  for (const part of [...observeProcess(metrics), ...observeMemory(metrics)]) parts.use(part)
  parts.use(observeLoopDelay(metrics))
  parts.use(observeLoopUtilization(metrics))
  parts.use(observeGarbageCollection(metrics))
  return parts
}

function observeProcess(metrics: Metrics): Disposable[] {
  const startSeconds = performance.timeOrigin / 1000
  return [
    metrics.observed({
      name: 'process_start_time_seconds',
      help: 'Start of the process in seconds since 1970',
      type: 'gauge',
      collect: (observe) => observe(startSeconds),
    }),
    metrics.observed({
      name: 'process_cpu_seconds_total',
      help: 'CPU time used, user and system',
      type: 'counter',
      collect(observe) {
        const { user, system } = process.cpuUsage()
        observe((user + system) / 1e6)
      },
    }),
    metrics.observed({
      name: 'process_open_fds',
      help: 'Open file descriptors; missing where the system does not tell',
      type: 'gauge',
      collect(observe) {
        const open = countOpenFiles()
        if (open !== undefined) observe(open)
      },
    }),
    metrics.observed({
      name: 'nodejs_version_info',
      help: 'The version of Node.js that runs',
      type: 'gauge',
      labels: ['version'],
      collect: (observe) => observe(1, { version: process.version }),
    }),
  ]
}

function countOpenFiles(): number | undefined {
  try {
    // One of them is the listing itself.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    // Not Linux, or /proc is hidden.
    return undefined
  }
}

function observeMemory(metrics: Metrics): Disposable[] {
  const gauge = (name: string, help: string, read: () => number) =>
    metrics.observed({ name, help, type: 'gauge', collect: (observe) => observe(read()) })
  return [
    gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss()),
    metrics.observed({
      name: 'nodejs_heap_bytes',
      help: 'Memory of the JavaScript heap by state, and what buffers hold outside it',
      type: 'gauge',
      labels: ['state'],
      collect(observe) {
        const memory = process.memoryUsage()
        observe(memory.heapUsed, { state: 'used' })
        observe(memory.heapTotal, { state: 'total' })
        observe(memory.external, { state: 'external' })
        observe(memory.arrayBuffers, { state: 'array_buffers' })
      },
    }),
  ]
}

function observeLoopDelay(metrics: Metrics): Disposable {
  const resolutionMs = 10
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  const observed = metrics.observed({
    name: 'nodejs_eventloop_delay_seconds',
    help: 'How late timers fire, since the last exposition, by quantile',
    type: 'gauge',
    labels: ['at'],
    collect(observe) {
      // The histogram holds whole intervals, of which the sampling interval is no delay.
      const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs) / 1e3
      for (const percentile of [50, 90, 99]) {
        observe(delay.count === 0 ? 0 : seconds(delay.percentile(percentile)), { at: `p${percentile}` })
      }
      observe(delay.count === 0 ? 0 : seconds(delay.max), { at: 'max' })
      delay.reset()
    },
  })
  return {
    [Symbol.dispose]() {
      observed[Symbol.dispose]()
      delay.disable()
    },
  }
}

function observeLoopUtilization(metrics: Metrics): Disposable {
  let last = performance.eventLoopUtilization()
  return metrics.observed({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Share of time the event loop was busy since the last exposition',
    type: 'gauge',
    collect(observe) {
      const now = performance.eventLoopUtilization()
      observe(performance.eventLoopUtilization(now, last).utilization)
      last = now
    },
  })
}

function observeGarbageCollection(metrics: Metrics): Disposable {
  const durations = metrics.histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Pauses of the garbage collector by kind',
    labels: ['kind'],
    buckets: [0.0001, 0.001, 0.01, 0.1, 1],
  })
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = (entry as PerformanceEntry & { readonly detail?: { readonly kind?: number } }).detail?.kind
      durations.labels({ kind: gcKinds.get(kind) ?? 'other' }).observe(entry.duration / 1e3)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return { [Symbol.dispose]: () => observer.disconnect() }
}
