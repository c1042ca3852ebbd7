/**
 * A closed load over HTTP/1.1: so many connections, each with one request under way. It costs a few microseconds a
 * request, so that on two cores the server is what is measured.
 */
import { connect, type Socket } from 'node:net'

export interface HttpLoadOptions {
  readonly port: number
  readonly connections: number
  /** How long to send, in milliseconds. What is under way then is waited for. */
  readonly durationMs: number
  /** Makes the next request, complete with head and body. */
  readonly next: () => Buffer
}

export interface HttpLoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>
  /** The last answer that was not 2xx, to see what went wrong. */
  readonly lastRefusal: string
}

export async function httpLoad(options: HttpLoadOptions): Promise<HttpLoadResult> {
  const latencies: number[] = []
  const statuses = new Map<number, number>()
  let lastRefusal = ''
  const startMs = performance.now()
  const endMs = startMs + options.durationMs
  const connection = async () => {
    const wire = await open(options.port)
    while (performance.now() < endMs) {
      const sentMs = performance.now()
      const { status, body } = await wire.request(options.next())
      latencies.push(performance.now() - sentMs)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status >= 300) lastRefusal = body
    }
    wire.close()
  }
  await Promise.all(Array.from({ length: options.connections }, connection))
  const seconds = (performance.now() - startMs) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), statuses, lastRefusal }
}

interface Wire {
  request(bytes: Buffer): Promise<{ readonly status: number; readonly body: string }>
  close(): void
}

async function open(port: number): Promise<Wire> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let text = ''
  let answer: ((value: { status: number; body: string }) => void) | undefined
  let fail: ((error: Error) => void) | undefined
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    const headEnd = text.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? Number.NaN)
    if (Number.isNaN(length)) return fail?.(new Error(`Cannot read the answer: ${text.slice(0, headEnd)}`))
    if (text.length < headEnd + 4 + length) return
    const body = text.slice(headEnd + 4, headEnd + 4 + length)
    const status = Number(text.slice(9, 12))
    text = text.slice(headEnd + 4 + length)
    answer?.({ status, body })
  })
  socket.on('close', () => fail?.(new Error('The server closed the connection')))
  socket.on('error', (error) => fail?.(error))
  return {
    request(bytes) {
      const result = new Promise<{ status: number; body: string }>((resolve, reject) => {
        answer = resolve
        fail = reject
      })
      socket.write(bytes)
      return result
    },
    close() {
      fail = undefined
      socket.destroy()
    },
  }
}

/** A POST with a JSON body, ready to be sent. */
export function post(path: string, body: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = Buffer.byteLength(body)
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${lines.join('')}content-length: ${length}\r\n\r\n${body}`,
  )
}

/** A GET, ready to be sent. */
export function get(path: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join('')}\r\n`)
}
