import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { finished, openTestShop, startCommand, type TestShop } from './cli.fixture.ts'

interface OrderJson {
  readonly orderId: string
  readonly status: string
  readonly total: { readonly amountMinor: string; readonly currency: string }
}

const products = [
  { sku: 'LAMP-1', title: 'Lamp of Ada', category: 'home', price_minor: 1299, currency: 'USD', stock: 50 },
  { sku: 'CHAIR-1', title: 'Chair of Ada', category: 'home', price_minor: 8900, currency: 'USD', stock: 5 },
]

// One shop and one story: each step stands on the ones before it.
describe('plinth, as its users walk through it', () => {
  let shop: TestShop
  let order: OrderJson
  before(async () => {
    shop = await openTestShop()
  })
  after(async () => {
    await shop?.[Symbol.asyncDispose]()
  })

  it('status tells services and addresses; a stranger is sent to login', async () => {
    const { stdout, code } = await shop.run(['status', '--admin', shop.admin, '--json'])
    const status = JSON.parse(stdout)
    assert.equal(code, 0)
    assert.equal(status.status, 'ready')
    assert.equal(status.addresses.http, shop.http)
    assert.deepEqual(
      status.services.map((each: { service: string }) => each.service),
      ['identity', 'catalog', 'orders', 'payments', 'events'],
    )
    const whoami = await shop.run(['whoami'])
    assert.equal(whoami.code, 11)
    assert.match(whoami.stderr, /not logged in.*\(plinth\.not_logged_in\)\nnext {2}plinth login/s)
    assert.equal(whoami.stdout, '')
  })

  it('login --operator and seed fill the catalogue, a dry run changes nothing, mistakes have lines', async () => {
    assert.equal((await shop.run(['login', '--operator', '--as', 'boss'])).code, 0)
    const file = join(shop.folder, 'products.jsonl')
    await writeFile(file, products.map((each) => JSON.stringify(each)).join('\n'))
    const dry = await shop.json<{ created: number; dryRun: boolean }>(
      'seed',
      '--file',
      file,
      '--dry-run',
      '--as',
      'boss',
    )
    assert.deepEqual([dry.created, dry.dryRun], [2, true])
    assert.match((await shop.run(['seed', '--file', file, '--as', 'boss'])).stdout, /^2 created/)
    assert.match((await shop.run(['catalog', 'import', file, '--as', 'boss'])).stdout, /2 as they were/)
    const bad = await shop.run(['seed', '--file', '-', '--as', 'boss'], { input: '{"sku":"X"}\nnonsense\n' })
    assert.equal(bad.code, 10)
    assert.match(bad.stdout, /^line 1: title is missing$/m)
    assert.match(bad.stdout, /^line 2: must be JSON/m)
  })

  it('register, verify and login make a customer whose tokens nobody else reads', async () => {
    const made = await shop.run(['register', 'ada@example.com', '--name', 'Ada'])
    assert.match(made.stdout, /Account ada@example.com is there\. Next: plinth verify/)
    const early = await shop.run(['login', 'ada@example.com'])
    assert.equal(early.code, 16)
    assert.match(early.stderr, /next {2}plinth verify/)
    assert.equal((await shop.run(['verify', 'ada@example.com'])).code, 0)
    const wrong = await shop.run(['login', 'ada@example.com', '--password-stdin'], { input: 'wrong password\n' })
    assert.equal(wrong.code, 11)
    assert.match(wrong.stderr, /identity\.credentials_wrong/)
    assert.equal((await shop.run(['login', 'ada@example.com'])).code, 0)
    const credentials = join(shop.folder, 'config', 'plinth', 'credentials.json')
    assert.equal((await stat(credentials)).mode & 0o777, 0o600)
    assert.equal((await shop.run(['whoami', '-q'])).stdout, 'ada@example.com\n')
    const sessions = await shop.json<{ sessions: { current: boolean }[] }>('sessions', 'list')
    assert.equal(sessions.sessions.filter(({ current }) => current).length, 1)
  })

  it('catalog search and cart work by SKU, plain and as JSON', async () => {
    const plain = await shop.run(['catalog', 'search', 'ada', '--order', 'price'])
    assert.match(plain.stdout, /^SKU .*\nLAMP-1 +12\.99 USD +50 +home +Lamp of Ada\nCHAIR-1 +89\.00 USD/)
    const { products: found, total } = await shop.json<{ products: { sku: string }[]; total: number }>(
      'catalog',
      'search',
      'lam',
    )
    assert.deepEqual([found.map(({ sku }) => sku), total], [['LAMP-1'], 1])
    assert.equal((await shop.run(['cart', 'set', 'lamp-1', '2'])).code, 0)
    assert.match((await shop.run(['cart', 'show'])).stdout, / 2 +12\.99 USD +LAMP-1 +Lamp of Ada/)
    const gone = await shop.run(['cart', 'set', 'NOPE-1'])
    assert.deepEqual([gone.code, gone.stdout], [13, ''])
  })

  it('orders place, pay --wait and watch carry an order; a repeated key happens once', async () => {
    order = await shop.json<OrderJson>('orders', 'place', '--idempotency-key', 'story-1', '--note', 'quick')
    const again = await shop.json<OrderJson>('orders', 'place', '--idempotency-key', 'story-1', '--note', 'quick')
    assert.equal(again.orderId, order.orderId)
    assert.deepEqual(order.total, { amountMinor: '2598', currency: 'USD' })
    const declined = await shop.run(['pay', order.orderId, '--card', 'card_declined', '--wait'])
    assert.equal(declined.code, 16)
    assert.match(declined.stderr, /card_declined.*plinth\.payment_failed/)
    const paid = await shop.run(['pay', order.orderId, '--wait'])
    assert.deepEqual([paid.code, /^order .* paid {2}25\.98 USD$/m.test(paid.stdout)], [0, true])
    assert.equal((await shop.run(['orders', 'list', '--status', 'paid', '-q'])).stdout, `${order.orderId}\n`)
    assert.match((await shop.run(['orders', 'timeline', order.orderId])).stdout, /^ *\d+ .* order_placed +customer$/m)
  })

  it('watch streams one JSON document a line and ends with 130 on Ctrl-C', async () => {
    const watching = shop.start(['orders', 'watch', order.orderId, '--json'])
    const ended = finished(watching)
    await once(watching.stdout!, 'data')
    watching.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    assert.deepEqual([code, stderr], [130, ''])
    for (const line of stdout.trim().split('\n')) assert.equal(JSON.parse(line).orderId, order.orderId)
  })

  it('an operator ships and refunds; a customer may not', async () => {
    const refused = await shop.run(['orders', 'ship', order.orderId])
    assert.equal(refused.code, 12)
    assert.match(refused.stderr, /next {2}.*login --operator/)
    const shipped = await shop.run(['orders', 'ship', order.orderId, '--tracking', 'T-1', '--as', 'boss'])
    assert.match(shipped.stdout, /shipped.*\n[\s\S]*tracking {2}T-1/)
    const refunding = await shop.json<OrderJson>('orders', 'refund', order.orderId, '--as', 'boss')
    assert.match(refunding.status, /REFUND/)
    // The stream ends by itself when the order is settled, or shows the last state at once.
    const watching = shop.start(['orders', 'watch', order.orderId, '--json'])
    let seen = ''
    for await (const chunk of watching.stdout!) {
      seen += chunk
      if (seen.includes('REFUNDED')) break
    }
    watching.kill('SIGKILL')
    assert.match(seen, /ORDER_STATUS_REFUNDED/)
    const error = await shop.run(['orders', 'deliver', order.orderId, '--as', 'boss', '--json'])
    assert.equal(error.code, 16)
    assert.equal(JSON.parse(error.stderr).error.code, 'orders.not_deliverable')
  })

  it('operators see accounts, stock and the bus, and edit products', async () => {
    const made = await shop.run([
      'catalog',
      'create',
      '--sku',
      'RUG-1',
      '--title',
      'Rug',
      '--category',
      'home',
      '--price',
      '45.5',
      '--as',
      'boss',
    ])
    assert.match(made.stdout, /45\.50 USD/)
    assert.match((await shop.run(['catalog', 'update', 'RUG-1', '--price', '40', '--as', 'boss'])).stdout, /40\.00 USD/)
    assert.match(
      (await shop.run(['catalog', 'stock', 'RUG-1', '--adjust', '7', '--as', 'boss'])).stdout,
      /^7 available/,
    )
    const kept = await shop.run(['catalog', 'delete', 'RUG-1', '--as', 'boss'])
    assert.equal(kept.code, 16)
    assert.equal((await shop.run(['catalog', 'delete', 'RUG-1', '--yes', '--as', 'boss'])).code, 0)
    assert.match(
      (await shop.run(['users', 'get', 'ada@example.com', '--as', 'boss'])).stdout,
      /ada@example.com {2}customer/,
    )
    const topics = await shop.json<{ topics: { topic: string }[] }>('events', 'topics', '--as', 'boss')
    assert.ok(topics.topics.some(({ topic }) => topic === 'orders.order'))
    const groups = await shop.json<{ groups: { deadLetters: number }[] }>('events', 'groups', '--as', 'boss')
    assert.ok(groups.groups.every(({ deadLetters }) => deadLetters === 0))
    const tail = shop.start(['events', 'tail', 'orders.order', '--from', 'earliest', '--json', '--as', 'boss'])
    const [first] = (await once(tail.stdout!, 'data')) as [Buffer]
    tail.kill('SIGKILL')
    assert.equal(JSON.parse(first.toString().split('\n')[0] ?? '').message.order.orderId, order.orderId)
  })

  it('ten commands at once with an expired token exchange it once and all succeed', async () => {
    const path = join(shop.folder, 'config', 'plinth', 'credentials.json')
    const kept = JSON.parse(await readFile(path, 'utf8'))
    const name = `${shop.grpc} default`
    const old = kept.logins[name].refreshToken
    kept.logins[name] = { ...kept.logins[name], accessExpiresAtMs: 1, accessToken: 'expired' }
    await writeFile(path, JSON.stringify(kept))
    const all = await Promise.all(Array.from({ length: 10 }, () => shop.run(['whoami', '-q'])))
    assert.deepEqual(new Set(all.map(({ code, stdout }) => `${code} ${stdout}`)), new Set(['0 ada@example.com\n']))
    const after = JSON.parse(await readFile(path, 'utf8')).logins[name]
    assert.notEqual(after.refreshToken, old)
    assert.ok(after.accessExpiresAtMs > Date.now())
  })

  it('a command killed in the middle of a refresh leaves credentials that work', async () => {
    const path = join(shop.folder, 'config', 'plinth', 'credentials.json')
    const name = `${shop.grpc} default`
    for (let round = 0; round < 4; round++) {
      const kept = JSON.parse(await readFile(path, 'utf8'))
      kept.logins[name].accessExpiresAtMs = 1
      await writeFile(path, JSON.stringify(kept))
      const child = shop.start(['whoami'])
      const ended = finished(child)
      while ((await readFile(`${path}.lock`, 'utf8').catch(() => '')) === '' && child.exitCode === null) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      child.kill('SIGKILL')
      await ended
      assert.equal((await shop.run(['whoami', '-q'])).stdout, 'ada@example.com\n')
    }
  })

  it('rubbish is refused with 2 or 10 and the field named, and never crashes', async () => {
    const rows: [readonly string[], number, RegExp][] = [
      [['nonsense'], 2, /unknown command/],
      [['catalog', 'serch'], 2, /Did you mean search/],
      [['catalog', 'search', '--limit', '0'], 2, /whole number from 1/],
      [['catalog', 'search', '--order', 'colour'], 2, /Allowed choices/],
      [['catalog', 'search', 'a', '--page-token', "' or 1=1"], 10, /page/],
      [['orders', 'get', 'not-a-uuid'], 10, /orderId/],
      [['orders', 'get', '0199a1f0-0000-7000-8000-000000000001'], 13, /orders\./],
      [['orders', 'place', '--line', 'LAMP-1=-1'], 2, /product=quantity/],
      [['orders', 'place', '--address', 'planet=Mars'], 2, /postalCode/],
      [['pay', order.orderId, '--card', 'DROP TABLE'], 10, /paymentMethod/],
      [['whoami', '--server', 'nowhere'], 10, /plinth\.server_invalid/],
      [['whoami', '--server', '127.0.0.1:1'], 21, /next {2}start the shop with "plinth up"/],
      [['whoami', '--timeout', 'soon'], 2, /500ms/],
      [['login'], 10, /plinth\.no_terminal/],
      [['seed', '--file', '/does/not/exist', '--as', 'boss'], 13, /no such file/],
      [['config', 'explain', 'http.prot'], 13, /plinth\.config_key_unknown/],
      [['config', 'check', '--set', 'http.port=99999999'], 10, /http\.port/],
      [['new', 'service', '../evil'], 10, /plinth\.service_name_invalid/],
      [['up', 'nonsense'], 10, /plinth\.topology_invalid/],
    ]
    const results = await Promise.all(rows.map(([args]) => shop.run(args)))
    for (const [at, [args, code, message]] of rows.entries()) {
      const ran = results[at]!
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`)
      assert.match(ran.stderr, message, args.join(' '))
      assert.doesNotMatch(ran.stderr, /^\s+at /m, args.join(' '))
    }
  })

  it('up says which port is taken and that a folder is locked, with the next step', async () => {
    const port = shop.http.split(':').at(-1) ?? ''
    const other = join(shop.folder, 'other')
    await mkdir(other)
    const free = ['--grpc-port', '0', '--admin-port', '0', '--no-seed']
    const taken = await finished(startCommand(other, ['up', '--http-port', port, ...free]))
    assert.deepEqual([taken.code, taken.stdout], [16, ''])
    assert.match(taken.stderr, new RegExp(`port ${port} \\(http\\) is taken.*\\nnext {2}.*--http-port`))
    const same = ['--data', join(shop.folder, '.plinth'), '--http-port', '0']
    const locked = await finished(startCommand(other, ['up', ...same, ...free]))
    assert.equal(locked.code, 16)
    assert.match(locked.stderr, /same data folder.*\nnext {2}/)
  })

  it('logout ends the session and forgets its tokens', async () => {
    assert.match((await shop.run(['logout'])).stdout, /Logged out/)
    assert.equal((await shop.run(['whoami'])).code, 11)
    assert.match((await shop.run(['logout'])).stdout, /Nobody was logged in/)
  })
})
