/**
 * A product-like read through the whole REST path (router, call context, standard interceptors, compiled JSON,
 * security headers, request id) against a bare Fastify route with the same body. Each server runs in a process of its
 * own and the load in a third, all on one machine; the rounds take turns, so a machine that grows slower meanwhile
 * wrongs neither. The bar is 0.5 of bare Fastify.
 *
 * Run: `node bench/rest-read.compare.ts [seconds for each measurement] [rounds]`
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { createHttpServer } from '@plinth/http'
import { bindService, createDispatcher, mountRest, standardInterceptors } from '@plinth/rpc'
import { BookSchema, ShelfService } from '@plinth/rpc/contract/plinth/rpc/shelf/v1/shelf_pb.js'
import fastify from 'fastify'
import { median } from './harness/median.ts'

const path = '/v1/books/01890a5d-ac96-774b-bcce-b302099a8057'
const connections = 64

async function serveBare(): Promise<number> {
  const app = fastify()
  const book = {
    bookId: '01890a5d-ac96-774b-bcce-b302099a8057',
    title: 'The Voyage of the Beagle, second edition',
    authors: ['Charles Darwin', 'Robert FitzRoy'],
    size: { pages: 512, heightMm: 198 },
    publishedAt: '2026-01-02T03:04:05Z',
    priceMinor: '1299',
    labels: { genre: 'travel', shelf: 'A7' },
    etag: '42',
  }
  app.get('/v1/books/:id', async () => ({ ...book }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as { port: number }).port
}

async function servePlinth(): Promise<number> {
  const book = create(BookSchema, {
    bookId: '01890a5d-ac96-774b-bcce-b302099a8057',
    title: 'The Voyage of the Beagle, second edition',
    authors: ['Charles Darwin', 'Robert FitzRoy'],
    size: { pages: 512, heightMm: 198 },
    publishedAt: timestampFromMs(Date.UTC(2026, 0, 2, 3, 4, 5)),
    priceMinor: 1299n,
    labels: { genre: 'travel', shelf: 'A7' },
    etag: '42',
  })
  const unused = () => {
    throw new Error('Cannot be called here')
  }
  const names = Object.keys(ShelfService.method).map((name) => [name, unused])
  const shelf = bindService(ShelfService, { ...Object.fromEntries(names), getBook: async () => book })
  const server = createHttpServer({ port: 0 })
  const interceptors = standardInterceptors({ authenticator: { authenticate: () => undefined } })
  mountRest(server, createDispatcher([shelf], interceptors))
  return (await server.listen()).port
}

interface Served {
  readonly process: ChildProcess
  readonly port: number
}

async function start(kind: string): Promise<Served> {
  const child = fork(import.meta.filename, ['serve', kind])
  const [port] = (await once(child, 'message')) as [number]
  return { process: child, port }
}

/** Requests a second, and what one cost the server in microseconds of CPU, which other load disturbs less. */
interface Figures {
  readonly perSecond: number
  readonly cpuMicros: number
}

async function cpuOf(served: Served): Promise<number> {
  served.process.send('cpu')
  const [micros] = (await once(served.process, 'message')) as [number]
  return micros
}

async function measure(served: Served, seconds: number): Promise<Figures> {
  const url = `http://127.0.0.1:${served.port}${path}`
  // @ts-expect-error The package brings no types. The servers do without it.
  const { default: autocannon } = await import('autocannon')
  const before = await cpuOf(served)
  const run: Run = await autocannon({ url, connections, duration: seconds })
  const cpuMicros = ((await cpuOf(served)) - before) / run.requests.total
  if (run.non2xx + run.errors > 0) throw new Error(`Cannot compare: ${run.non2xx + run.errors} requests failed`)
  return { perSecond: run.requests.average, cpuMicros }
}

/** The part of its results that is read here; the package brings no types. */
interface Run {
  readonly requests: { readonly average: number; readonly total: number }
  readonly non2xx: number
  readonly errors: number
}

async function compare(seconds: number, rounds: number): Promise<void> {
  const [bare, plinth] = [await start('bare'), await start('plinth')]
  try {
    const ratios: number[] = []
    const cpuRatios: number[] = []
    // Compilers work on other threads, whose time would count too.
    await measure(bare, 3)
    await measure(plinth, 3)
    console.log('| round | bare Fastify: requests/s | us CPU | Plinth REST: requests/s | us CPU | ratio | by CPU |')
    console.log('|--:|--:|--:|--:|--:|--:|--:|')
    for (let round = 1; round <= rounds; round++) {
      const one = await measure(bare, seconds)
      const other = await measure(plinth, seconds)
      ratios.push(other.perSecond / one.perSecond)
      cpuRatios.push(one.cpuMicros / other.cpuMicros)
      const cells = [
        round,
        Math.round(one.perSecond),
        one.cpuMicros.toFixed(1),
        Math.round(other.perSecond),
        other.cpuMicros.toFixed(1),
        ratios.at(-1)?.toFixed(2),
        cpuRatios.at(-1)?.toFixed(2),
      ]
      console.log(`| ${cells.join(' | ')} |`)
    }
    console.log(`\nratio of requests/s: ${summary(ratios)}; of CPU a request: ${summary(cpuRatios)}; the bar is 0.50`)
  } finally {
    bare.process.kill()
    plinth.process.kill()
  }
}

function summary(ratios: readonly number[]): string {
  return `median ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`
}

if (process.argv[2] === 'serve') {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.send?.(await (process.argv[3] === 'bare' ? serveBare() : servePlinth()))
} else {
  await compare(Number(process.argv[2] ?? 3), Number(process.argv[3] ?? 5))
}
