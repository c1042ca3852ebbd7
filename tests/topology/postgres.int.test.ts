import { describe } from 'node:test'
import { compareOutcomes } from './compare-outcomes.ts'
import { describeShop } from './describe-shop.ts'
import { layouts, openTopology } from './open-topology.ts'

const postgresUrl = process.env.PLINTH_TEST_POSTGRES_URL

if (postgresUrl === undefined) {
  const reason = process.env.PLINTH_TEST_POSTGRES_MISSING ?? 'PLINTH_TEST_POSTGRES_URL is not set'
  describe('the shop on PostgreSQL', { skip: reason }, () => {})
} else {
  // The engine must not show either, so one layout on SQLite is compared with.
  const embedded = { name: 'SQLite in one process', layout: layouts['one process'], url: undefined }
  const onPostgres = Object.entries(layouts).map(([name, layout]) => ({ name, layout, url: postgresUrl }))
  compareOutcomes(
    'the shop on PostgreSQL',
    [embedded, ...onPostgres].map(({ name, layout, url }) => ({
      name,
      outcomes: describeShop(`the shop ${url ? 'on PostgreSQL' : 'with'} in ${name}`, () =>
        openTopology({ layout, postgresUrl: url }),
      ),
    })),
  )
}
