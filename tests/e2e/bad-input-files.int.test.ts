/**
 * Files to import and reports of the payment provider: bodies that no contract describes.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Secret, systemClock } from '@plinth/base'
import { createWebhookSigner } from '@plinth/security'
import { assertUnharmed, flawOf } from './harness/refusals.ts'
import type { Answer } from './harness/rest.ts'
import { openShop, type Shop } from './harness/shop.ts'

const webhookSecret = 'a-secret-of-the-provider'
let shop: Shop

before(async () => {
  shop = await openShop({ environment: { PLINTH_PAYMENTS__WEBHOOK_SECRET: webhookSecret } })
})

after(() => shop[Symbol.asyncDispose]())

async function importFile(body: string | Uint8Array, type = 'application/jsonl'): Promise<Answer> {
  const headers = { 'content-type': type }
  return await shop.rest('/v1/products:import', { token: shop.operator.token, body, headers })
}

async function products(): Promise<number> {
  return (await shop.rest('/v1/products:search')).json.total
}

const good = { sku: 'G1', title: 'Good', category: 'drama', price_minor: 100, currency: 'USD' }
const csvHead = 'sku,title,category,price_minor,currency\n'

describe('bad input, files', () => {
  // What is wrong with a line, and the field that the report names; empty for the line as a whole.
  const lines: readonly [string, string, string][] = [
    ['cut JSON', '{"sku": "A', ''],
    ['a list', '[]', ''],
    ['null', 'null', ''],
    ['deep JSON', '['.repeat(15_000), ''],
    ['a long line', JSON.stringify({ ...good, description: 'x'.repeat(30_000) }), ''],
    ['an unknown field', JSON.stringify({ ...good, admin: true }), 'admin'],
    ['__proto__', '{"__proto__": {"sku": "A"}}', '__proto__'],
    [
      'attributes of __proto__',
      `${JSON.stringify(good).slice(0, -1)}, "attributes": {"__proto__": "x"}}`,
      'attributes',
    ],
    ['a number for a text', JSON.stringify({ ...good, title: 7 }), 'title'],
    ['a text for a number', JSON.stringify({ ...good, price_minor: 'free' }), 'price_minor'],
    ['a negative price', JSON.stringify({ ...good, price_minor: -1 }), 'price_minor'],
    ['a broken price', JSON.stringify({ ...good, price_minor: 0.5 }), 'price_minor'],
    ['a huge price', `${JSON.stringify(good).replace('100', '1e300')}`, 'price_minor'],
    ['an endless price', `${JSON.stringify(good).replace('100', '1e999')}`, 'price_minor'],
    ['negative stock', JSON.stringify({ ...good, stock: -1 }), 'stock'],
    ['SQL for a SKU', JSON.stringify({ ...good, sku: "'; drop table product; --" }), 'sku'],
    ['NUL', JSON.stringify({ ...good, title: 'a\u0000b' }), 'title'],
    ['half of a surrogate pair', JSON.stringify({ ...good, title: 'a\ud800b' }), 'title'],
    ['an attribute with half of a pair', JSON.stringify({ ...good, attributes: { a: '\udc00' } }), 'attributes'],
    ['a currency that is none', JSON.stringify({ ...good, currency: 'dollars' }), 'currency'],
    ['nothing', '{}', 'sku'],
  ]
  for (const [what, line, field] of lines) {
    it(`a line of JSON with ${what} is reported and left out, and the next one is taken`, async () => {
      const sku = `after-${what.replaceAll(/[^a-z]/gi, '-')}`
      const { status, json, text } = await importFile(`${line}\n${JSON.stringify({ ...good, sku })}\n`)
      assert.equal(status, 200, text)
      assert.deepEqual([json.lines, json.failed, json.created], [2, 1, 1], text)
      assert.equal(json.mistakes[0].line, 1)
      assert.ok(
        json.mistakes.some((mistake: { field: string }) => mistake.field.split('.')[0] === field),
        text,
      )
    })
  }

  const files: readonly [string, string | Uint8Array][] = [
    ['an open quote', `${csvHead}A1,"Open,drama,100,USD\n`],
    ['a quote inside', `${csvHead}A1,Op"en,drama,100,USD\n`],
    ['too few fields', `${csvHead}A1,Title\n`],
    ['too many fields', `${csvHead}A1,Title,drama,100,USD,more,and,more\n`],
    ['an unknown column', 'sku,title,admin\nA1,Title,yes\n'],
    ['a column twice', 'sku,sku,title,category,price_minor,currency\nA1,A2,Title,drama,100,USD\n'],
    ['a column of __proto__', '__proto__,sku,title,category,price_minor,currency\nx,A1,Title,drama,100,USD\n'],
    ['a column without a name', ',sku,title,category,price_minor,currency\nx,A1,Title,drama,100,USD\n'],
    ['a formula for a price', `${csvHead}A1,Title,drama,=1+1,USD\n`],
    ['a long field', `${csvHead}A1,${'x'.repeat(50_000)},drama,100,USD\n`],
    ['a NUL', `${csvHead}A1,a\u0000b,drama,100,USD\n`],
  ]
  for (const [what, file] of files) {
    it(`a CSV file with ${what} is reported, and nothing of it is taken`, async () => {
      const before = await products()
      const answer = await importFile(file, 'text/csv')
      if (answer.status === 200) {
        assert.ok(answer.json.failed >= 1, answer.text)
        assert.equal(answer.json.created, 0, answer.text)
      } else assert.equal(flawOf(answer), undefined)
      assert.equal(await products(), before)
    })
  }

  it('a file that is no text, too large or empty is no fault', async () => {
    for (const [body, type] of [
      [randomBytes(5_000), 'application/jsonl'],
      [randomBytes(5_000), 'text/csv'],
      [Buffer.from([0xff, 0xfe, 0x41]), 'text/csv'],
    ] as const) {
      const answer = await importFile(body, type)
      assert.ok(answer.status === 200 ? answer.json.created === 0 : flawOf(answer) === undefined, answer.text)
    }
    // Refused by its announced length: the connection may be cut before all of it is sent.
    const huge = await importFile(Buffer.alloc(17 * 1024 * 1024, 0x20)).catch(() => undefined)
    assert.ok(huge === undefined || huge.status === 413, String(huge?.text))
    const blank = await importFile(`${'\n'.repeat(100_000)}`)
    assert.equal(blank.status, 200)
    const many = await importFile('{}\n'.repeat(50_000))
    assert.deepEqual([many.json.failed, many.json.mistakes.length], [50_000, 100])
    await assertUnharmed(shop)
  })

  it('a file is imported by operators alone', async () => {
    const headers = { 'content-type': 'text/csv' }
    const body = `${csvHead}A1,Title,drama,100,USD\n`
    assert.equal((await shop.rest('/v1/products:import', { body, headers })).status, 401)
    const token = await shop.mint.token()
    assert.equal((await shop.rest('/v1/products:import', { token, body, headers })).status, 403)
  })
})

describe('bad input, reports of the provider', () => {
  const signer = createWebhookSigner({ clock: systemClock, secrets: [new Secret(webhookSecret)] })
  const other = createWebhookSigner({ clock: systemClock, secrets: [new Secret('b-secret-of-the-provider')] })
  const report = Buffer.from(JSON.stringify({ report_id: 'r1', payment_id: '01890a5d-ac96-774b-bcce-b302099a8057' }))

  async function post(body: Uint8Array, signature: string | undefined, provider = 'simulator'): Promise<Answer> {
    const headers = {
      'content-type': 'application/json',
      ...(signature === undefined ? {} : { 'plinth-signature': signature }),
    }
    return await shop.rest(`/v1/payments/webhooks/${provider}`, { body, headers })
  }

  it('a report without a good signature is refused', async () => {
    const signature = signer.sign(report)
    const bad = [
      undefined,
      '',
      'x',
      't=1,v1=00',
      signature.slice(0, -2),
      `${signature}0`,
      other.sign(report),
      '='.repeat(5_000),
    ]
    for (const wrong of bad) assert.equal(flawOf(await post(report, wrong)), undefined, String(wrong))
    assert.equal(flawOf(await post(Buffer.concat([report, Buffer.from(' ')]), signature)), undefined)
    await assertUnharmed(shop)
  })

  it('a signed report that says nothing of use is refused', async () => {
    const bodies = [
      '',
      '{',
      '[]',
      'null',
      '7',
      '{}',
      '{"report_id":7,"payment_id":{}}',
      '{"__proto__":{"report_id":"a"}}',
    ]
    const odd = ["'; drop table payment; --", '', 'x'.repeat(101), '\u0000', '../..']
    const named = odd.map((id) => JSON.stringify({ report_id: 'r', payment_id: id }))
    for (const text of [...bodies, ...named, `${'['.repeat(20_000)}`]) {
      const body = Buffer.from(text)
      assert.equal(flawOf(await post(body, signer.sign(body))), undefined, text.slice(0, 60))
    }
    const broken = Buffer.from([0x7b, 0xff, 0xfe, 0x7d])
    assert.equal(flawOf(await post(broken, signer.sign(broken))), undefined)
    const huge = Buffer.alloc(100_000, 0x20)
    assert.equal((await post(huge, signer.sign(huge))).status, 413)
    await assertUnharmed(shop)
  })

  it('a report about nothing we know changes nothing, and so does one of another provider', async () => {
    for (const provider of ['simulator', 'stripe', 'constructor']) {
      const { status, text } = await post(report, signer.sign(report), provider)
      assert.ok(status === 200 || (status >= 400 && status < 500), text)
    }
    assert.equal((await post(report, signer.sign(report), 'NO')).status, 400)
    await assertUnharmed(shop)
  })
})
