import { request } from 'node:http'
import type { HealthReport } from '@plinth/kernel'

/** A shop as its admin server describes it. */
export interface ShopFacts {
  readonly health: Pick<HealthReport, 'phase' | 'ready' | 'live' | 'status' | 'reasons' | 'checks'>
  readonly version: string
  readonly services: readonly string[]
  readonly http: string
  readonly grpc: string
  readonly startedAtMs: number | undefined
}

/** Where an admin server is. */
export interface AdminAddress {
  readonly host: string
  readonly port: number
}

/** Asks the admin server of a shop; undefined when no shop answers there. */
export async function askShop(address: AdminAddress, signal: AbortSignal): Promise<ShopFacts | undefined> {
  const [ready, metrics] = await Promise.all([get(address, '/readyz', signal), get(address, '/metrics', signal)])
  const health = parseHealth(ready)
  if (health === undefined) return undefined
  const info = labelsOf(metrics ?? '', 'plinth_info')
  const startedSeconds = Number(/^process_start_time_seconds (\S+)$/m.exec(metrics ?? '')?.[1] ?? Number.NaN)
  return {
    health,
    version: info.get('version') ?? '',
    services: (info.get('services') ?? '').split(',').filter((name) => name !== ''),
    http: info.get('http') ?? '',
    grpc: info.get('grpc') ?? '',
    startedAtMs: Number.isFinite(startedSeconds) ? startedSeconds * 1000 : undefined,
  }
}

function parseHealth(text: string | undefined): HealthReport | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isHealth(value) ? value : undefined
  } catch {
    // Somebody else's server: it is no shop.
    return undefined
  }
}

function isHealth(value: unknown): value is HealthReport {
  if (typeof value !== 'object' || value === null) return false
  return 'phase' in value && 'reasons' in value && Array.isArray(value.reasons) && 'checks' in value
}

/** Labels of the first sample of a metric, in Prometheus text. */
export function labelsOf(text: string, name: string): ReadonlyMap<string, string> {
  const line = text.split('\n').find((each) => each.startsWith(`${name}{`)) ?? ''
  const pairs = line.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)
  return new Map([...pairs].map(([, label = '', value = '']) => [label, value.replaceAll(/\\(.)/g, '$1')]))
}

const timeoutMs = 3000
const answerBytesMax = 8 * 1024 * 1024

/** Health answers 503 when it is bad: the body tells why, whatever the status. */
function get(address: AdminAddress, path: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...address, path, timeout: timeoutMs, signal }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
        if (text.length > answerBytesMax) answer.destroy()
      })
      answer.on('close', () => resolve(text))
      answer.on('error', () => resolve(undefined))
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => (signal.aborted ? reject(signal.reason) : resolve(undefined)))
    sent.end()
  })
}
