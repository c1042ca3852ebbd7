import { DatabaseSync } from 'node:sqlite'
import { messagingFault } from './faults.ts'

/**
 * Takes a folder for this process. Node cannot lock files itself; SQLite can, by the kernel's own locks, which end
 * with the process however it ends. So there is never a stale lock to judge, and process ids of other containers
 * mean nothing.
 *
 * @throws PlatformError `messaging.folder_locked`.
 */
export function lockFolder(folder: string): AsyncDisposable {
  const database = new DatabaseSync(`${folder}/lock`)
  try {
    database.exec('pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive')
  } catch (cause) {
    database.close()
    throw messagingFault('messaging.folder_locked', `Cannot open the log: another process has ${folder}`, {
      details: { folder },
      cause,
    })
  }
  return {
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}
