import { describe } from 'node:test'
import { describeHostile } from './harness/describe-hostile.ts'
import { openDatabase } from './harness/open-database.ts'
import { openShop } from './harness/shop.ts'

const postgresUrl = process.env.PLINTH_TEST_POSTGRES_URL

if (postgresUrl === undefined) {
  const reason = process.env.PLINTH_TEST_POSTGRES_MISSING ?? 'PLINTH_TEST_POSTGRES_URL is not set'
  describe('bad input, hostile values on PostgreSQL', { skip: reason }, () => {})
} else {
  describeHostile('PostgreSQL', async () => {
    const database = openDatabase(postgresUrl)
    const shop = await openShop({
      settings: ['rpc.deadlineMs=15s', ...database.settings],
      environment: { PLINTH_DATA__POSTGRES_URL: postgresUrl },
    })
    return {
      ...shop,
      async [Symbol.asyncDispose]() {
        await shop[Symbol.asyncDispose]()
        await database[Symbol.asyncDispose]()
      },
    }
  })
}
