import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { SqlValue } from '../statement.ts'
import {
  add,
  addCell,
  addPart,
  type Cell,
  find,
  findCell,
  list,
  numbers,
  openContractStore,
  type TestDatabase,
} from './harness.ts'

const empty: Cell = { id: 'a', whole: null, real: null, bytes: null, body: null }

const sameBack: readonly (readonly [string, Partial<Cell>])[] = [
  ['nulls', {}],
  ['zero', { whole: 0, real: 0 }],
  ['the largest safe integer', { whole: Number.MAX_SAFE_INTEGER }],
  ['the smallest safe integer', { whole: Number.MIN_SAFE_INTEGER }],
  ['a fraction', { real: 0.1 }],
  ['a whole number in a real column', { real: 5 }],
  ['a huge double', { real: 1.7976931348623157e308 }],
  ['a tiny double', { real: 5e-324 }],
  ['empty text', { body: '' }],
  ['text of all planes', { body: 'aé漢😀\u{10FFFF}\u0001\n\t\\\'";--' }],
  ['long text', { body: 'é'.repeat(1_000_000) }],
  ['no bytes', { bytes: new Uint8Array() }],
  ['every byte', { bytes: Uint8Array.from({ length: 256 }, (_, byte) => byte) }],
  ['five megabytes', { bytes: new Uint8Array(5 * 2 ** 20).fill(7) }],
]

const changed: readonly (readonly [string, Partial<Cell>, Partial<Cell>])[] = [
  ['true as 1', { whole: true }, { whole: 1 }],
  ['false as 0', { whole: false }, { whole: 0 }],
  ['a bigint as a number', { whole: 12n }, { whole: 12 }],
  ['minus zero in an integer column as 0', { whole: -0 }, { whole: 0 }],
]

const misused: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a date', new Date(0)],
  ['an object', { $ne: 1 }],
  ['an array', ['a']],
  ['a function', () => 'a'],
  ['a symbol', Symbol('a')],
]

/** Values go in and come back alike on every engine; what cannot is refused and never changed silently. */
export function valuesContract(openDatabase: () => Promise<TestDatabase>): void {
  it('tx gives back every value as it was, and booleans and integers as numbers', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const rows = [...sameBack.map(([name, cell]) => [name, cell, cell] as const), ...changed]
    for (const [name, given, expected] of rows) {
      await store.write((tx) => tx.run(addCell, { ...empty, ...given, id: name }))
      const row = await store.read((tx) => tx.get(findCell, { id: name }))
      assert.deepEqual(row, { ...empty, ...expected, id: name }, name)
    }
  })

  it('tx refuses what no column holds with a TypeError', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    for (const [name, value] of misused) {
      const body = value as string
      await assert.rejects(
        store.write((tx) => tx.run(addCell, { ...empty, body })),
        TypeError,
        name,
      )
      await assert.rejects(
        store.write((tx) =>
          tx.query
            .insertInto('item')
            .values({ id: 'a', n: body as never, body: null })
            .execute(),
        ),
        name === 'undefined' ? { code: 'data.value_refused' } : Error,
        name,
      )
    }
    const wrongName = { identifier: 'a' } as unknown as { id: string }
    await assert.rejects(
      store.read((tx) => tx.get(find, wrongName)),
      { name: 'TypeError', message: 'Cannot run the statement: parameter "id" is missing' },
    )
  })

  it('tx refuses text that an engine would change: NUL and half of a surrogate pair', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    for (const body of ['a\0b', '\ud800', 'a\udc00']) {
      const expected = { code: 'data.text_not_storable', kind: 'invalid' }
      await assert.rejects(
        store.write((tx) => tx.run(add, { id: 'a', n: 1, body })),
        expected,
      )
      await assert.rejects(
        store.write((tx) => tx.query.insertInto('item').values({ id: 'a', n: 1, body }).execute()),
        expected,
      )
    }
    assert.deepEqual(await store.read((tx) => tx.all(list, {})), [])
  })

  it('tx refuses integers beyond 64 bits, and to return one beyond 2^53', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const outOfRange = { code: 'data.number_out_of_range' }
    for (const whole of [2n ** 63n, -(2n ** 63n) - 1n]) {
      await assert.rejects(
        store.write((tx) => tx.run(addCell, { ...empty, whole })),
        { ...outOfRange, kind: 'invalid' },
      )
    }
    const edges = [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]
    for (const [at, whole] of edges.entries()) {
      await store.write((tx) => tx.run(addCell, { ...empty, id: `${at}`, whole }))
      await assert.rejects(
        store.read((tx) => tx.get(findCell, { id: `${at}` })),
        { ...outOfRange, kind: 'internal' },
      )
    }
  })

  it('tx names broken rules by code', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    await store.write((tx) => tx.run(add, { id: 'a', n: 1, body: null }))
    const attempts: readonly (readonly [string, string, () => Promise<unknown>])[] = [
      ['exists', 'data.unique_violation', () => store.write((tx) => tx.run(add, { id: 'a', n: 1, body: null }))],
      ['precondition', 'data.check_violation', () => store.write((tx) => tx.run(add, { id: 'b', n: -13, body: null }))],
      [
        'precondition',
        'data.foreign_key_violation',
        () => store.write((tx) => tx.run(addPart, { id: 'a', itemId: 'none' })),
      ],
      [
        'internal',
        'data.value_refused',
        () => store.write((tx) => tx.run(add, { id: 'b', n: null as unknown as number, body: null })),
      ],
      ['internal', 'data.value_refused', () => store.write((tx) => tx.run(add, { id: 'b', n: 1.5, body: null }))],
      [
        'internal',
        'data.read_only',
        () => store.read((tx) => tx.query.insertInto('item').values({ id: 'b', n: 1, body: null }).execute()),
      ],
      [
        'internal',
        'data.statement_refused',
        () =>
          store.read((tx) =>
            tx.query
              .selectFrom('nothing' as 'item')
              .selectAll()
              .execute(),
          ),
      ],
    ]
    for (const [kind, code, attempt] of attempts) await assert.rejects(attempt(), { kind, code }, code)
    assert.equal((await store.read((tx) => tx.all(list, {}))).length, 1)
  })

  it('all() returns 10,000 rows and refuses one more', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    const rows = await store.read((tx) => tx.all(numbers, { count: 10_000 }))
    assert.deepEqual([rows.length, rows[0]?.n, rows.at(-1)?.n], [10_000, 1, 10_000])
    await assert.rejects(
      store.read((tx) => tx.all(numbers, { count: 10_001 })),
      { code: 'data.too_many_rows' },
    )
    assert.equal((await store.read((tx) => tx.all(numbers, { count: 3 }))).length, 3)
  })

  it('query reads and changes inside the transaction, and opens none of its own', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    await store.write(async (tx) => {
      await tx.query.insertInto('item').values({ id: 'a', n: 1, body: null }).execute()
      const { numUpdatedRows } = await tx.query
        .updateTable('item')
        .set({ n: 7 })
        .where('id', '=', 'a')
        .executeTakeFirst()
      assert.equal(numUpdatedRows, 1n)
      assert.deepEqual(await tx.get(find, { id: 'a' }), { id: 'a', n: 7, body: null })
      const count = await tx.query
        .selectFrom('item')
        .select((all) => all.fn.countAll<number>().as('count'))
        .execute()
      assert.deepEqual(count, [{ count: 1 }])
    })
    await assert.rejects(
      store.write((tx) => tx.query.transaction().execute(async () => {})),
      TypeError,
    )
  })

  it('tx treats SQL in a value as a value, in every place of both ways to query', async () => {
    await using database = await openDatabase()
    await using store = await openContractStore(database)
    for (const text of fragments) {
      const back = await store.write(async (tx) => {
        await tx.run(add, { id: text, n: 1, body: text })
        const found = await tx.get(find, { id: text })
        const built = tx.query.selectFrom('item').selectAll()
        const same = await built.where('id', '=', text).where('body', 'in', [text, 'x']).execute()
        const like = await built.where('body', 'like', text.replaceAll(/[\\%_]/g, '\\$&')).execute()
        const none = await built.where('id', '<>', text).where('id', 'not in', [text]).execute()
        await tx.query
          .updateTable('item')
          .set({ body: `${text}!` })
          .where('id', '=', text)
          .execute()
        const { numDeletedRows } = await tx.query.deleteFrom('item').where('body', '=', `${text}!`).executeTakeFirst()
        return { found, same: same.length, like: like.length <= 1, none: none.length, numDeletedRows }
      })
      const found = { id: text, n: 1, body: text }
      assert.deepEqual(back, { found, same: 1, like: true, none: 0, numDeletedRows: 1n })
    }
    assert.deepEqual(await store.read((tx) => tx.all(list, {})), [])
    for (const value of fragments as readonly SqlValue[]) {
      await assert.rejects(store.write((tx) => tx.run(addCell, { ...empty, whole: value as number })))
    }
  })
}

const fragments = [
  "'; drop table item; --",
  "' or '1'='1",
  '" or ""="',
  '1; delete from item',
  "x' union select id, 1, body from item --",
  '$1',
  '?1',
  ':id',
  "\\'; drop table item; --",
  '/* */ --',
  "'||(select body from item)||'",
  ') or (1=1',
  'null',
  "E'\\x27'",
  '%',
  '_',
]
