import { errorKinds, type PlatformError } from '@plinth/base'
import type { Counter, Histogram, Logger, Metrics } from '@plinth/telemetry'

/** The metrics of calls on one side of the wire. */
export interface CallMetrics {
  cells(labels: CallLabels): CallCells
}

interface CallLabels {
  readonly service: string
  readonly method: string
  readonly transport: string
}

/** The metrics of one method on one transport; every cell is looked up once. */
export interface CallCells {
  readonly seconds: Histogram
  /** By kind of fault; `ok` without one. */
  count(code: string): Counter
}

/** Defines `rpc_<side>_requests_total{service,method,transport,code}` and `rpc_<side>_request_seconds{…}`. */
export function defineCallMetrics(metrics: Metrics, side: 'server' | 'client'): CallMetrics {
  const requests = metrics.counter({
    name: `rpc_${side}_requests_total`,
    help: 'Calls that have ended, by kind of fault or ok',
    labels: ['service', 'method', 'transport', 'code'],
    cellsMax: 20_000,
  })
  const seconds = metrics.histogram({
    name: `rpc_${side}_request_seconds`,
    help: 'Time from the request to the answer, or to the end of the stream',
    labels: ['service', 'method', 'transport'],
    cellsMax: 10_000,
  })
  return {
    cells(labels) {
      const counters = new Map<string, Counter>()
      return {
        seconds: seconds.labels({ ...labels }),
        count(code) {
          let counter = counters.get(code)
          if (!counter) {
            counter = requests.labels({ ...labels, code })
            counters.set(code, counter)
          }
          return counter
        },
      }
    },
  }
}

/** `plinth.orders.v1.OrdersService/Place` as labels. */
export function splitName(name: string): { readonly service: string; readonly method: string } {
  const slash = name.lastIndexOf('/')
  return { service: name.slice(0, slash), method: name.slice(slash + 1) }
}

/** How a server that is told to stop ends what would go on: nothing that failed. */
const goodbyes = new Set(['rpc.draining', 'rpc.server_closing'])

/** Writes at the level of the fault's kind; only what is the server's own failure carries the error with its stack. */
export function logFault(
  log: Logger,
  event: string,
  entry: { readonly fault: PlatformError; readonly fields: object },
): void {
  const { fault, fields } = entry
  const level = goodbyes.has(fault.code) ? 'info' : errorKinds[fault.kind].level
  const facts = { ...fields, kind: fault.kind, code: fault.code }
  log[level](event, level === 'error' ? { ...facts, error: fault } : { ...facts, message: fault.message })
}
