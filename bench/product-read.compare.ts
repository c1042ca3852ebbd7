/**
 * A product read from the running shop (REST, router, interceptors, SQLite, compiled JSON) against a bare Fastify
 * route that answers the same body from memory. Servers run in processes of their own, rounds take turns, and next to
 * the throughput stands what a request costs the server in processor time, which other load disturbs less.
 * Bar: 0.5 of bare Fastify.
 *
 * Run: `node bench/product-read.compare.ts [seconds for each measurement] [rounds]`
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import fastify from 'fastify'
import { get, httpLoad } from './harness/http-load.ts'
import { median } from './harness/median.ts'
import { cpuMicros, startShop } from './harness/shop-process.ts'

const connections = 64

async function serveBare(): Promise<void> {
  const [product] = (await once(process, 'message')) as [Record<string, unknown>]
  const app = fastify()
  app.get('/v1/products/:id', async () => ({ ...product }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  process.send?.((app.server.address() as { port: number }).port)
}

async function compare(durationMs: number, rounds: number): Promise<void> {
  await using shop = await startShop()
  const [id] = await shop.products(1)
  const path = `/v1/products/${id}`
  const child = fork(import.meta.filename, ['serve'])
  child.send(await shop.call('GET', path))
  const [barePort] = (await once(child, 'message')) as [number]
  const next = () => get(path)
  const load = { connections, durationMs, next }
  const measure = async (port: number, pid: number) => {
    const before = cpuMicros(pid)
    const result = await httpLoad({ ...load, port })
    const count = [...result.statuses.values()].reduce((sum, each) => sum + each, 0)
    if (result.lastRefusal !== '') throw new Error(`Refused: ${result.lastRefusal}`)
    return { perSecond: result.perSecond, micros: (cpuMicros(pid) - before) / count, p99Ms: result.p99Ms }
  }
  await httpLoad({ ...load, port: shop.port, durationMs: 6000 })
  await httpLoad({ ...load, port: barePort, durationMs: 3000 })
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const bare = await measure(barePort, child.pid!)
    const ours = await measure(shop.port, shop.pid)
    const ratio = ours.perSecond / bare.perSecond
    ratios.push(ratio)
    const row = ({ perSecond, micros, p99Ms }: typeof bare) =>
      `${perSecond.toFixed(0).padStart(6)}/s ${micros.toFixed(0).padStart(4)} us  p99 ${p99Ms.toFixed(1)} ms`
    console.log(
      `bare ${row(bare)}   plinth ${row(ours)}   ${ratio.toFixed(2)}x, by processor time ${(bare.micros / ours.micros).toFixed(2)}x`,
    )
  }
  child.kill()
  console.log(`product read: median ${median(ratios).toFixed(2)}x of bare Fastify (bar 0.5x)`)
}

if (process.argv[2] === 'serve') await serveBare()
else await compare(Number(process.argv[2] ?? 3) * 1000, Number(process.argv[3] ?? 5))
