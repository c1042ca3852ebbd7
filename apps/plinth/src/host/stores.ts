import { join } from 'node:path'
import { invariant } from '@plinth/base'
import { type MigratableStore, migrate, openPostgresStore, openSqliteStore, type SqlStore } from '@plinth/data'
import { Clocks, configOf, defineModule, Randoms, type StoreOptions, Stores } from '@plinth/kernel'
import { dataConfig } from './config.ts'

/** Opens the stores of the services: a SQLite file each, or a PostgreSQL schema each. */
export const storesModule = defineModule({
  name: 'stores',
  needs: { clock: Clocks, random: Randoms, config: configOf(dataConfig) },
  provides: { stores: Stores },
  start({ clock, random, config }) {
    const { dir, engine, postgresUrl, postgresSchemaPrefix, connectionsMax } = config.current

    async function openStore<Schema>(name: string): Promise<MigratableStore<Schema>> {
      if (engine === 'sqlite') return await openSqliteStore<Schema>({ path: join(dir, `${name}.db`), clock })
      invariant(postgresUrl, 'the configuration was checked before the start')
      return await openPostgresStore<Schema>({
        url: postgresUrl,
        schema: `${postgresSchemaPrefix}${name}`,
        poolMax: connectionsMax,
        clock,
        random,
      })
    }

    return {
      provides: {
        stores: {
          async open<Schema>({ name, migrations }: StoreOptions): Promise<SqlStore<Schema>> {
            await using undo = new AsyncDisposableStack()
            const store = undo.use(await openStore<Schema>(name))
            await migrate(store, migrations, { clock })
            undo.move()
            return store
          },
        },
      },
    }
  },
})
