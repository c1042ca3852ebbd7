/**
 * The contract suite of key stores.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KeyStore } from './key-store.ts'
import { createSigningKey } from './signing-key.ts'

/** What a suite needs: the same storage opened as often as asked. */
export interface KeyStoreFixture extends AsyncDisposable {
  /** Opens the storage, as another process would. */
  open(): KeyStore
}

/** Checks that a key store keeps what {@link KeyStore} promises. */
export function describeKeyStore(name: string, create: () => Promise<KeyStoreFixture>): void {
  describe(`KeyStore: ${name}`, () => {
    it('load() answers nothing from a new store', async () => {
      await using fixture = await create()
      assert.deepEqual(await fixture.open().load(), [])
    })

    it('update() is seen by everyone who loads later, private half included', async () => {
      await using fixture = await create()
      const key = createSigningKey(1_700_000_000_000)
      const answered = await fixture.open().update((keys) => [...keys, key])
      const loaded = await fixture.open().load()
      for (const [read] of [answered, loaded]) {
        assert.ok(read)
        assert.deepEqual([read.kid, read.x, read.createdAtMs], [key.kid, key.x, key.createdAtMs])
        assert.equal(read.d.reveal(), key.d.reveal())
      }
    })

    it('update() that answers undefined changes nothing', async () => {
      await using fixture = await create()
      const store = fixture.open()
      await store.update(() => [createSigningKey(1)])
      const before = await store.load()
      const after = await store.update(() => undefined)
      assert.deepEqual(
        after.map((key) => key.kid),
        before.map((key) => key.kid),
      )
    })

    it('update() whose change throws leaves the keys as they were', async () => {
      await using fixture = await create()
      const store = fixture.open()
      await store.update(() => [createSigningKey(1)])
      await assert.rejects(
        store.update(() => {
          throw new Error('no')
        }),
        /no/,
      )
      assert.equal((await store.load()).length, 1)
    })

    it('update() loses no key of twenty racing writers', async () => {
      await using fixture = await create()
      const keys = Array.from({ length: 20 }, (_, at) => createSigningKey(at))
      await Promise.all(keys.map((key) => fixture.open().update((present) => [...present, key])))
      const stored = await fixture.open().load()
      assert.deepEqual(new Set(stored.map((key) => key.kid)), new Set(keys.map((key) => key.kid)))
    })
  })
}
