import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createIds, createSystemRandom, PlatformError, Secret } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { type MigratableStore, migrate, openPostgresStore, openSqliteStore } from '@plinth/data'
import { createOutbox } from '@plinth/messaging'
import { catalogMigrations } from '../src/adapters/catalog-schema.ts'
import { createSqlCatalogStore } from '../src/adapters/sql-catalog-store.ts'
import type { ProductFacts } from '../src/domain/product.ts'
import { readImportFile } from '../src/entrypoints/import-file.ts'
import { createCatalog } from '../src/usecases/catalog.ts'

const postgresUrl = process.env['PLINTH_TEST_POSTGRES_URL']

interface Opened extends AsyncDisposable {
  readonly store: MigratableStore<unknown>
}

async function openSqlite(): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-catalog-'))
  const store = await openSqliteStore<unknown>({ path: join(folder, 'catalog.db') })
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

async function openPostgres(): Promise<Opened> {
  const schema = `catalog_${randomUUID().replaceAll('-', '')}`
  const store = await openPostgresStore<unknown>({ url: new Secret(postgresUrl ?? ''), schema })
  return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

async function openCatalog(open: () => Promise<Opened>) {
  const opened = await open()
  await migrate(opened.store, catalogMigrations)
  const clock = createFakeClock()
  const ids = createIds({ clock, random: createSystemRandom() })
  const store = createSqlCatalogStore({ store: opened.store, outbox: createOutbox(), clock, ids })
  return {
    clock,
    store,
    catalog: createCatalog({ store, clock, ids, settings: () => settings }),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

const hourMs = 3_600_000
const settings = { answersKeptMs: 24 * hourMs, reservationsKeptMs: 48 * hourMs, salesKeptMs: 96 * hourMs }

type Catalog = Awaited<ReturnType<typeof openCatalog>>['catalog']

const film: ProductFacts = {
  sku: 'F1',
  title: 'Le Fabuleux Destin d’Amélie Poulain',
  description: 'A waitress in Paris',
  category: 'romantic-comedy',
  priceMinor: 999,
  currency: 'USD',
  attributes: { director: 'Jean-Pierre Jeunet' },
}

async function add(catalog: Catalog, facts: Partial<ProductFacts> & { readonly sku: string }, units = 0) {
  const product = await catalog.edit.create({ ...film, ...facts }, undefined)
  if (units > 0) await catalog.inventory.adjust(product.productId, units, undefined)
  return product.productId
}

const everything = {
  category: '',
  priceMin: 0,
  priceMax: undefined,
  inStock: false,
  sort: 'title',
  offset: 0,
  limit: 50,
} as const

async function titles(catalog: Catalog, search: Partial<Parameters<Catalog['browse']['search']>[0]>) {
  const { products } = await catalog.browse.search({ ...everything, text: '', ...search })
  return products.map((product) => product.title)
}

function code(expected: string) {
  return (error: unknown) => PlatformError.is(error) && error.code === expected
}

function describeCatalog(name: string, open: () => Promise<Opened>, skip: string | false): void {
  describe(`catalogue on ${name}`, { skip }, () => {
    it('search() finds words without accents or case, beginnings last, in titles and facts', async () => {
      await using house = await openCatalog(open)
      const { catalog } = house
      await add(catalog, film)
      await add(catalog, { sku: 'F2', title: 'Alien Resurrection', description: 'Ripley again' })
      await add(catalog, {
        sku: 'F3',
        title: 'Metropolis',
        description: 'A city',
        attributes: { director: 'Fritz Lang' },
      })
      assert.deepEqual(await titles(catalog, { text: 'AMELIE' }), [film.title])
      assert.deepEqual(await titles(catalog, { text: 'amél' }), [film.title])
      assert.deepEqual(await titles(catalog, { text: 'jeunet resur' }), ['Alien Resurrection'])
      assert.deepEqual(await titles(catalog, { text: 'lang metropolis' }), ['Metropolis'])
      assert.deepEqual(await titles(catalog, { text: 'metro lang nothing' }), [])
      for (const hostile of [
        '"',
        '*',
        'a" OR "b',
        "'; drop table product; --",
        'NEAR(a b)',
        '& | ! :*',
        '\u0000',
        '()',
      ]) {
        await assert.doesNotReject(titles(catalog, { text: hostile }), `for ${hostile}`)
      }
      assert.equal((await titles(catalog, {})).length, 3)
    })

    it('search() puts a title before a description, and sorts and pages otherwise as asked', async () => {
      await using house = await openCatalog(open)
      const { catalog, clock } = house
      for (const [sku, title, priceMinor] of [
        ['A', 'Heat', 500],
        ['B', 'Ronin', 300],
        ['C', 'Collateral', 800],
      ] as const) {
        await add(catalog, { sku, title, priceMinor, description: sku === 'B' ? 'as good as Heat' : 'x' })
        await clock.advance(10)
      }
      assert.deepEqual(await titles(catalog, { text: 'heat', sort: 'relevance' }), ['Heat', 'Ronin'])
      assert.deepEqual(await titles(catalog, { sort: 'title' }), ['Collateral', 'Heat', 'Ronin'])
      assert.deepEqual(await titles(catalog, { sort: 'price_ascending' }), ['Ronin', 'Heat', 'Collateral'])
      assert.deepEqual(await titles(catalog, { sort: 'price_descending' }), ['Collateral', 'Heat', 'Ronin'])
      assert.deepEqual(await titles(catalog, { sort: 'newest' }), ['Collateral', 'Ronin', 'Heat'])
      assert.deepEqual(await titles(catalog, { sort: 'title', limit: 1, offset: 1 }), ['Heat'])
    })

    it('search() filters, and counts facets as if their own filter were not set', async () => {
      await using house = await openCatalog(open)
      const { catalog } = house
      await add(catalog, { sku: 'A', title: 'Heat one', category: 'action', priceMinor: 400 }, 2)
      await add(catalog, { sku: 'B', title: 'Heat two', category: 'drama', priceMinor: 700 })
      await add(catalog, { sku: 'C', title: 'Heat three', category: 'drama', priceMinor: 2500 }, 1)
      for (const text of ['heat', '']) {
        const search = { ...everything, text }
        const drama = await catalog.browse.search({ ...search, category: 'drama' })
        assert.equal(drama.total, 2)
        assert.deepEqual(drama.categories, [
          { value: 'drama', count: 2 },
          { value: 'action', count: 1 },
        ])
        assert.deepEqual(drama.prices, [
          { value: '500', count: 1 },
          { value: '2000', count: 1 },
        ])
        const cheap = await catalog.browse.search({ ...search, priceMin: 400, priceMax: 700 })
        assert.deepEqual([cheap.total, cheap.prices.length], [2, 3])
        assert.equal((await catalog.browse.search({ ...search, inStock: true })).total, 2)
      }
    })

    it('list() pages through all titles once, and leaves archived products out', async () => {
      await using house = await openCatalog(open)
      const { catalog } = house
      const ids = await Promise.all(
        Array.from({ length: 7 }, (_, at) => add(catalog, { sku: `S${at}`, title: `Film ${at % 3}` })),
      )
      await catalog.edit.archive(ids[0]!)
      const seen: string[] = []
      for (let after: string | undefined, page = 0; page < 10; page++) {
        const { products, next } = await catalog.browse.list({ category: '', limit: 2, after })
        seen.push(...products.map((product) => product.productId))
        after = next
        if (!next) break
      }
      assert.deepEqual(seen.toSorted(), ids.slice(1).toSorted())
      assert.equal((await catalog.browse.get(ids[0]!)).archived, true)
      assert.deepEqual(await catalog.browse.categories(), [{ value: 'romantic-comedy', count: 6 }])
    })

    it('edit() changes what it is told, refuses a stale version and a taken SKU', async () => {
      await using house = await openCatalog(open)
      const { catalog } = house
      const productId = await add(catalog, film)
      await add(catalog, { sku: 'OTHER' })
      const edited = await catalog.edit.edit({ productId, version: 1, facts: { title: 'Amélie' } })
      assert.deepEqual([edited.title, edited.priceMinor, edited.version], ['Amélie', 999, 2])
      assert.deepEqual(await titles(catalog, { text: 'fabuleux' }), [film.title])
      await assert.rejects(catalog.edit.edit({ productId, version: 1, facts: {} }), code('catalog.stale'))
      await assert.rejects(
        catalog.edit.edit({ productId, version: 2, facts: { sku: 'OTHER' } }),
        code('catalog.sku_taken'),
      )
      await assert.rejects(catalog.edit.create(film, undefined), code('catalog.sku_taken'))
      await assert.rejects(
        catalog.edit.edit({ productId, version: 2, facts: { priceMinor: -1 } }),
        code('catalog.product_invalid'),
      )
      await assert.rejects(
        catalog.edit.edit({ productId: randomUUID(), version: undefined, facts: {} }),
        code('catalog.product_not_found'),
      )
    })

    it('inventory: available, held and sold always add up to what was put in', async () => {
      await using house = await openCatalog(open)
      const { catalog, clock } = house
      const { inventory } = catalog
      const productId = await add(catalog, film, 10)
      const figures = async () => {
        const { available, held, sold } = await inventory.stock(productId)
        return [available, held, sold]
      }
      const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()]
      const reserve = (reservationId: string, quantity: number) =>
        inventory.reserve({ reservationId, lines: [{ productId, quantity }], holdMs: 1000 })
      await reserve(a, 3)
      await reserve(a, 3)
      assert.deepEqual(await figures(), [7, 3, 0])
      await reserve(b, 2)
      await inventory.commit(a)
      await inventory.commit(a)
      assert.deepEqual(await figures(), [5, 2, 3])
      await inventory.release(b)
      await inventory.release(b)
      assert.deepEqual(await figures(), [7, 0, 3])
      await assert.rejects(reserve(c, 8), code('catalog.out_of_stock'))
      assert.deepEqual(await figures(), [7, 0, 3])
      await reserve(c, 7)
      await clock.advance(1000)
      assert.equal(await inventory.sweep(), 1)
      assert.deepEqual(await figures(), [7, 0, 3])
      await reserve(randomUUID(), 7)
      await assert.rejects(inventory.commit(c), code('catalog.reservation_expired'))
      await inventory.release(a)
      assert.deepEqual(await figures(), [3, 7, 0])
      await assert.rejects(inventory.commit(randomUUID()), code('catalog.reservation_not_found'))
      await assert.rejects(inventory.adjust(productId, -4, undefined), code('catalog.stock_too_low'))
    })

    it('reserve() of what is held holds it from now on, and never for shorter', async () => {
      await using house = await openCatalog(open)
      const { catalog, clock } = house
      const productId = await add(catalog, film, 10)
      const reservationId = randomUUID()
      const reserve = (holdMs: number) =>
        catalog.inventory.reserve({ reservationId, lines: [{ productId, quantity: 3 }], holdMs })
      const first = await reserve(1000)
      await clock.advance(600)
      const again = await reserve(1000)
      assert.deepEqual([again.expiresAtMs - first.expiresAtMs, again.lines], [600, first.lines])
      assert.equal((await reserve(10)).expiresAtMs, again.expiresAtMs)
      await clock.advance(999)
      assert.equal(await catalog.inventory.sweep(), 0)
      await clock.advance(1)
      assert.equal(await catalog.inventory.sweep(), 1)
    })

    it('forgetOld() forgets reservations that gave their stock back and sales, each after its time', async () => {
      await using house = await openCatalog(open)
      const { catalog, clock, store } = house
      const productId = await add(catalog, film, 10)
      const [held, released, expired, sold] = Array.from({ length: 4 }, () => randomUUID()) as [string, ...string[]]
      for (const reservationId of [released, expired, sold] as string[]) {
        await catalog.inventory.reserve({ reservationId, lines: [{ productId, quantity: 1 }], holdMs: hourMs })
      }
      await catalog.inventory.release(released!)
      await catalog.inventory.commit(sold!)
      await clock.advance(hourMs)
      await catalog.inventory.sweep()
      await catalog.inventory.reserve({ reservationId: held, lines: [{ productId, quantity: 1 }], holdMs: hourMs })
      const remembered = async () =>
        (await Promise.all([held, released!, expired!, sold!].map((id) => store.reservation(id)))).map(
          (one) => one?.state,
        )
      await clock.advance(settings.reservationsKeptMs)
      assert.equal(await catalog.forgetOld(), 0)
      await clock.advance(1)
      assert.equal(await catalog.forgetOld(), 2)
      assert.deepEqual(await remembered(), ['held', undefined, undefined, 'committed'])
      await clock.advance(settings.salesKeptMs - settings.reservationsKeptMs - 1)
      assert.equal(await catalog.forgetOld(), 0)
      await clock.advance(1)
      assert.equal(await catalog.forgetOld(), 1)
      assert.deepEqual(await remembered(), ['held', undefined, undefined, undefined])
    })

    it('forgetOld() forgets the answers of commands after a day', async () => {
      await using house = await openCatalog(open)
      const { catalog, clock } = house
      const productId = await add(catalog, film, 10)
      const once = { scope: 'adjust', key: 'k1', fingerprint: 'f1' }
      const adjust = async () => (await catalog.inventory.adjust(productId, 1, once)).available
      assert.equal(await adjust(), 11)
      await clock.advance(settings.answersKeptMs)
      assert.deepEqual([await catalog.forgetOld(), await adjust()], [0, 11])
      await clock.advance(1)
      assert.deepEqual([await catalog.forgetOld(), await adjust()], [1, 12])
    })

    it('reserve() lets twenty racing buyers have what there is, all or nothing', async () => {
      await using house = await openCatalog(open)
      const { inventory } = house.catalog
      const first = await add(house.catalog, { sku: 'A' }, 5)
      const second = await add(house.catalog, { sku: 'B' }, 12)
      const race = Array.from({ length: 20 }, (_, buyer) => {
        const lines = [first, second].map((productId) => ({ productId, quantity: 1 }))
        return inventory.reserve({
          reservationId: randomUUID(),
          lines: buyer % 2 === 0 ? lines : lines.toReversed(),
          holdMs: 1000,
        })
      })
      const won = (await Promise.allSettled(race)).filter((outcome) => outcome.status === 'fulfilled')
      assert.equal(won.length, 5)
      const [one, two] = [await inventory.stock(first), await inventory.stock(second)]
      assert.deepEqual([one.available, one.held, two.available, two.held], [0, 5, 7, 5])
    })

    it('import() creates, changes and leaves alone by SKU; a dry run only says so', async () => {
      await using house = await openCatalog(open)
      const { catalog } = house
      const lines = (text: string) => readImportFile(new TextEncoder().encode(text), 'jsonl')
      const line = (facts: object) =>
        JSON.stringify({ sku: 'A', title: 'T', category: 'c', price_minor: 100, currency: 'USD', ...facts })
      const signal = new AbortController().signal
      const file = [line({ stock: 5 }), '', line({ sku: 'B' }), 'nonsense', line({ sku: 'C', price_minor: 'x' })].join(
        '\n',
      )
      for (const dryRun of [true, false]) {
        const report = await catalog.import(lines(file), { dryRun, signal })
        assert.deepEqual([report.lines, report.created, report.failed], [4, 2, 2])
        assert.deepEqual(
          report.mistakes.map(({ line, field }) => [line, field]),
          [
            [4, ''],
            [5, 'price_minor'],
          ],
        )
        assert.equal((await titles(catalog, {})).length, dryRun ? 0 : 2)
      }
      const again = await catalog.import(lines([line({}), line({ sku: 'B', title: 'New' }), line({})].join('\n')), {
        dryRun: false,
        signal,
      })
      assert.deepEqual([again.unchanged, again.changed, again.failed], [1, 1, 1])
      assert.equal((await catalog.browse.search({ ...everything, text: 't' })).products[0]?.available, 5)
    })

    it('watch() tells what changed since, then what changes, and ends when asked', async () => {
      await using house = await openCatalog(open)
      const { catalog } = house
      const first = await add(catalog, { sku: 'A' })
      const ending = new AbortController()
      const seen: string[] = []
      const watching = (async () => {
        for await (const { type, product } of catalog.browse.watch(0, ending.signal)) {
          seen.push(`${type} ${product.sku}`)
          if (seen.length === 1) await add(catalog, { sku: 'B' })
          if (seen.length === 2) await catalog.edit.archive(first)
          if (seen.length === 3) ending.abort()
        }
      })()
      await watching
      assert.deepEqual(seen, ['product_created A', 'product_created B', 'product_archived A'])
    })
  })
}

describeCatalog('SQLite', openSqlite, false)
describeCatalog('PostgreSQL', openPostgres, postgresUrl ? false : 'PLINTH_TEST_POSTGRES_URL is not set')
