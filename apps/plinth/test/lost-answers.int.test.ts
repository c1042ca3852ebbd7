import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openTestShop } from './cli.fixture.ts'

/** Passes bytes on, and breaks the first connection on which the caller spoke at the `chunk`-th answer after that. */
async function openBreakingProxy(target: string, chunk: number) {
  const [host = '', port = ''] = target.split(':')
  let hasBroken = false
  const server = createServer((client) => {
    const shop = connect({ host, port: Number(port) })
    let hasSpoken = false
    let answers = 0
    client.once('data', () => {
      hasSpoken = true
    })
    client.on('error', () => {}).on('close', () => shop.destroy())
    shop.on('error', () => {}).on('close', () => client.destroy())
    client.pipe(shop)
    shop.on('data', (bytes) => {
      if (hasSpoken) answers++
      if (!hasBroken && answers === chunk) {
        hasBroken = true
        client.resetAndDestroy()
      } else client.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    hasBroken: () => hasBroken,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

describe('plinth over a connection that breaks', () => {
  it('places one order, however late the answer is lost', async () => {
    await using shop = await openTestShop()
    const file = join(shop.folder, 'one.jsonl')
    await writeFile(file, '{"sku":"A-1","title":"A","category":"a","price_minor":100,"currency":"USD","stock":100}')
    await shop.json('login', '--operator')
    await shop.json('seed', '--file', file)
    const { products } = await shop.json<{ products: { productId: string }[] }>('catalog', 'list')
    const line = `${products[0]?.productId}=1`
    const path = join(shop.folder, 'config', 'plinth', 'credentials.json')
    const { accessToken } = JSON.parse(await readFile(path, 'utf8')).logins[`${shop.grpc} default`]
    let broken = 0
    const placed = new Set<string>()
    for (let chunk = 1; chunk <= 6; chunk++) {
      await using proxy = await openBreakingProxy(shop.grpc, chunk)
      const env = { PLINTH_SERVER: proxy.address, PLINTH_TOKEN: accessToken }
      const { code, stdout, stderr } = await shop.run(['orders', 'place', '--line', line, '-q'], { env })
      assert.equal(code, 0, stderr)
      placed.add(stdout.trim())
      if (proxy.hasBroken()) broken++
    }
    assert.ok(broken >= 2, `${broken} connections broke`)
    assert.equal(placed.size, 6)
    const { orders } = await shop.json<{ orders: unknown[] }>('orders', 'list')
    assert.equal(orders.length, 6)
  })
})
