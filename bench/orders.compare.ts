/**
 * Orders placed with a durable answer through everything (REST, authentication, validation, trace, metrics, log,
 * reservation of stock, idempotency, outbox; SQLite with synchronous=FULL), against two bare prototypes that only
 * parse JSON and insert an order: one with an fsync for each order, one with a commit for each turn of the event loop.
 * Then orders carried all the way: placed, paid at the simulated provider, stock sold, events delivered.
 *
 * Servers run in processes of their own, rounds take turns. Bars: 4,000 orders/s placed at 64 connections with
 * p99 <= 40 ms; 1,500/s carried all the way.
 *
 * Run: `node bench/orders.compare.ts [seconds for each measurement] [rounds]`
 */
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fastify from 'fastify'
import { type HttpLoadResult, httpLoad, post } from './harness/http-load.ts'
import { median } from './harness/median.ts'
import { type ShopProcess, startShop } from './harness/shop-process.ts'

const connections = 64

async function serveBare(kind: string, dir: string): Promise<number> {
  const db = new DatabaseSync(join(dir, `${kind}.db`))
  db.exec('pragma journal_mode=wal; pragma synchronous=full')
  db.exec('create table o (id text primary key, body text not null) strict')
  const insert = db.prepare('insert into o values (?, ?)')
  const app = fastify()
  let waiting: { body: unknown; done: (id: string) => void }[] = []
  const commit = () => {
    const batch = waiting
    waiting = []
    db.exec('begin')
    const ids = batch.map(({ body }) => {
      const id = randomUUID()
      insert.run(id, JSON.stringify(body))
      return id
    })
    db.exec('commit')
    for (const [at, { done }] of batch.entries()) done(ids[at]!)
  }
  app.post('/v1/orders', async (request) => {
    if (kind === 'single') {
      const id = randomUUID()
      insert.run(id, JSON.stringify(request.body))
      return { id }
    }
    const id = await new Promise<string>((done) => {
      if (waiting.length === 0) setImmediate(commit)
      waiting.push({ body: request.body, done })
    })
    return { id }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as { port: number }).port
}

async function startBare(kind: string, dir: string) {
  const child = fork(import.meta.filename, ['serve', kind, dir])
  const [port] = (await once(child, 'message')) as [number]
  return { port, [Symbol.dispose]: () => void child.kill() }
}

function orderRequest(token: string, products: readonly string[], paymentMethod: string): () => Buffer {
  let turn = 0
  return () => {
    const [first, second] = [products[turn % products.length], products[(turn + 7) % products.length]]
    turn++
    const body = JSON.stringify({
      lines: [
        { productId: first, quantity: 1 },
        { productId: second, quantity: 2 },
      ],
      paymentMethod,
    })
    return post('/v1/orders', body, { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() })
  }
}

function show(name: string, { perSecond, p50Ms, p99Ms, statuses, lastRefusal }: HttpLoadResult, more = ''): void {
  const answers = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ')
  console.log(
    `${name.padEnd(28)} ${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms.toFixed(1)} ms  ${more} (${answers}) ${lastRefusal.slice(0, 300)}`,
  )
}

async function settled(shop: ShopProcess): Promise<void> {
  for (;;) {
    const { orders } = await shop.call('GET', '/v1/orders?status=ORDER_STATUS_PAYING&page_size=1', {
      token: shop.operator,
    })
    if ((orders as unknown[]).length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function compare(durationMs: number, rounds: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'plinth-bare-'))
  using single = await startBare('single', dir)
  using grouped = await startBare('grouped', dir)
  await using shop = await startShop()
  const products = await shop.products(50)
  console.log(
    `open after ${shop.openedAfterMs.toFixed(0)} ms; ${Math.round(shop.residentBytes() / 2 ** 20)} MiB resident`,
  )
  const load = { connections, durationMs }
  const bareRequest = () =>
    post('/v1/orders', '{"lines":[{"productId":"a","quantity":1},{"productId":"b","quantity":2}]}', {})
  const place = orderRequest(shop.customer, products, '')
  const pay = orderRequest(shop.customer, products, 'card_ok')
  await httpLoad({ ...load, port: shop.port, next: place, durationMs: Math.min(3000, durationMs) })
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    show('bare, an fsync each', await httpLoad({ ...load, port: single.port, next: bareRequest }))
    const bare = await httpLoad({ ...load, port: grouped.port, next: bareRequest })
    show('bare, a commit each turn', bare)
    const cpu = shop.cpuMicros()
    const placed = await httpLoad({ ...load, port: shop.port, next: place })
    const micros = (shop.cpuMicros() - cpu) / (placed.perSecond * (durationMs / 1000))
    show('plinth, placed', placed, `${micros.toFixed(0)} us CPU an order`)
    ratios.push(placed.perSecond / bare.perSecond)
    const cpuAll = shop.cpuMicros()
    const startMs = performance.now()
    const paid = await httpLoad({ ...load, port: shop.port, next: pay })
    await settled(shop)
    const seconds = (performance.now() - startMs) / 1000
    const count = [...paid.statuses.values()].reduce((sum, each) => sum + each, 0)
    const carried = { ...paid, perSecond: count / seconds }
    show('plinth, all the way', carried, `${((shop.cpuMicros() - cpuAll) / count).toFixed(0)} us CPU an order`)
  }
  console.log(`placed against bare with group commit: ${median(ratios).toFixed(2)}x`)
  rmSync(dir, { recursive: true, force: true })
}

if (process.argv[2] === 'serve') process.send?.(await serveBare(process.argv[3] ?? '', process.argv[4] ?? ''))
else await compare(Number(process.argv[2] ?? 5) * 1000, Number(process.argv[3] ?? 3))
