import { describe, it } from 'node:test'
import { createSeededRandom, Secret } from '@plinth/base'
import pg from 'pg'
import { openPostgresStore } from './postgres-store.ts'
import { type ContractSchema, describeSqlStore } from './testing.ts'

const url = process.env.PLINTH_TEST_POSTGRES_URL
let databases = 0

if (url === undefined) {
  describe('SqlStore: PostgreSQL', () => {
    it('is not run', { skip: 'PLINTH_TEST_POSTGRES_URL is not set' })
  })
} else {
  describeSqlStore(
    'PostgreSQL',
    async () => {
      const schema = `plinth_test_${process.pid}_${databases++}`
      return {
        open: (options) =>
          openPostgresStore<ContractSchema>({
            url: new Secret(url),
            schema,
            random: createSeededRandom(1),
            attemptsMax: 100,
            ...options,
          }),
        [Symbol.asyncDispose]: async () => {
          const client = new pg.Client(url)
          await client.connect()
          await client.query(`drop schema if exists ${schema} cascade`)
          await client.end()
        },
      }
    },
    { serialisable: true, shared: true },
  )
}
