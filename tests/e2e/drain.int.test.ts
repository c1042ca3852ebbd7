/** Stopping under load: what was accepted is answered and kept, streams are told, and the end is clean. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { ordersContract } from '@plinth/orders-service/contract'
import { errorLines } from './harness/program.ts'
import { initOf, type Rest } from './harness/rest.ts'
import { openShop } from './harness/shop.ts'

const customers = 12

interface Attempt {
  readonly key: string
  readonly token: string
  /** The order of an answer; undefined where none came. */
  orderId?: string
  refused?: string
}

describe('SIGTERM under load', () => {
  it('loses no order that was answered, takes none twice, and ends streams with a reason', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'plinth-drain-'))
    const attempts: Attempt[] = []
    let productId: string
    {
      await using shop = await openShop({ dir })
      productId = await shop.stock(100_000)
      const tokens = await Promise.all(Array.from({ length: customers }, () => shop.mint.token()))
      const watched = await place(shop.rest, { key: randomUUID(), token: tokens[0]! }, productId)
      const reader = await fetch(
        `${shop.program.http}/v1/orders/${watched.json.orderId}:watch`,
        initOf({ token: tokens[0], headers: { accept: 'text/event-stream' } }),
      )
      const events = reader.text()
      const calls = shop
        .grpc(ordersContract, tokens[0])
        .watchOrder({ orderId: watched.json.orderId })
        [Symbol.asyncIterator]()
      await calls.next()
      const stream = calls.next().then(
        () => 'went on',
        (error: unknown) => error,
      )

      const buyers = tokens.map(async (token) => {
        for (;;) {
          const attempt: Attempt = { key: randomUUID(), token }
          attempts.push(attempt)
          try {
            const { status, json, text } = await place(shop.rest, attempt, productId)
            if (status === 200) attempt.orderId = json.orderId
            else attempt.refused = `${status} ${json?.code ?? text}`
          } catch (error) {
            attempt.refused = String((error as { cause?: { code?: string } }).cause?.code ?? error)
          }
          if (attempt.refused !== undefined) return
        }
      })
      while (attempts.length < 200) await new Promise((resolve) => setTimeout(resolve, 5))
      const stopped = await shop.program.stop()
      await Promise.all(buyers)
      assert.ok(Number(stopped.took_ms) < 3_000, JSON.stringify(stopped))
      assert.deepEqual(stopped.cut_off, [])
      assert.deepEqual(errorLines(shop.program), [])
      assert.match(await events, /event: problem\ndata: .*"retryable":true/)
      const fault = await stream
      assert.ok(PlatformError.is(fault) && fault.kind === 'unavailable', String(fault))
      // Nobody got a broken answer: who had none was never taken in, or was told to come again.
      const refusals = new Set(attempts.flatMap(({ refused }) => refused ?? []))
      for (const refusal of refusals) assert.match(refusal, /^(ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET|503 )/)
    }

    await using again = await openShop({ dir })
    for (const attempt of attempts) {
      // Repeated with its key, a command that got no answer is done once, and one that got it gets it again.
      const { status, json } = await place(again.rest, attempt, productId)
      assert.equal(status, 200)
      if (attempt.orderId !== undefined) assert.equal(json.orderId, attempt.orderId)
    }
    const stock = await again.rest(`/v1/products/${productId}/stock`, { token: again.operator.token })
    assert.equal(Number(stock.json.held), attempts.length + 1)
    await again.program.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('ends within a second when idle', async () => {
    await using shop = await openShop()
    await shop.rest('/v1/products')
    const startMs = performance.now()
    await shop.program.stop()
    assert.ok(performance.now() - startMs < 1_500, `${performance.now() - startMs} ms`)
  })
})

async function place(rest: Rest, { key, token }: Attempt, productId: string) {
  const json = { lines: [{ productId, quantity: 1 }] }
  return await rest('/v1/orders', { token, json, headers: { 'idempotency-key': key } })
}
