import { randomUUID } from 'node:crypto'
import { Client } from 'pg'

/** Room for one shop in a PostgreSQL database; disposing drops its schemas. */
export function openDatabase(url: string) {
  const prefix = `t_${randomUUID().slice(0, 8)}_`
  return {
    settings: ['data.engine=postgres', `data.postgresSchemaPrefix=${prefix}`, 'data.connectionsMax=4'],
    async [Symbol.asyncDispose]() {
      const client = new Client({ connectionString: url })
      await client.connect()
      try {
        const { rows } = await client.query<{ name: string }>(
          'select nspname as name from pg_namespace where starts_with(nspname, $1)',
          [prefix],
        )
        for (const { name } of rows) await client.query(`drop schema ${client.escapeIdentifier(name)} cascade`)
      } finally {
        await client.end()
      }
    },
  }
}
