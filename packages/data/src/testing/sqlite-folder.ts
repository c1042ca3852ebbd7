import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for the database of one test, removed at its end. */
export interface SqliteFolder extends AsyncDisposable {
  readonly path: string
  /** Path of the database file in it. */
  readonly file: string
}

/** Makes a folder of its own under the system's temporary folder. Close the stores in it first. */
export async function createSqliteFolder(): Promise<SqliteFolder> {
  const path = await mkdtemp(join(tmpdir(), 'plinth-data-'))
  return {
    path,
    file: join(path, 'store.db'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
