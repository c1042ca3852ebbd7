import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemRandom, Secret } from '@plinth/base'
import { type MigratableStore, openPostgresStore, openSqliteStore } from '@plinth/data'
import pg from 'pg'

/** Where the data of one service lies: a folder, and a database in it or on a server. */
export interface Place extends AsyncDisposable {
  readonly folder: string
  open<S>(): Promise<MigratableStore<S>>
}

/** Makes a new, empty place. */
export type Engine = () => Promise<Place>

export const sqlite: Engine = async () => {
  const folder = await temporaryFolder()
  return {
    folder,
    open: () => openSqliteStore({ path: join(folder, 'identity.db') }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Places in schemas of their own on one server. */
export function postgres(url: string): Engine {
  let schemas = 0
  return async () => {
    const folder = await temporaryFolder()
    const schema = `identity_test_${process.pid}_${schemas++}`
    return {
      folder,
      open: () => openPostgresStore({ url: new Secret(url), schema, random: createSystemRandom(), attemptsMax: 100 }),
      async [Symbol.asyncDispose]() {
        const client = new pg.Client(url)
        await client.connect()
        await client.query(`drop schema if exists ${schema} cascade`)
        await client.end()
        await rm(folder, { recursive: true, force: true })
      },
    }
  }
}

function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'plinth-identity-'))
}
