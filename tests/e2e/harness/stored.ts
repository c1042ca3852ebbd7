import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Counts failures and holds leases: changes without anything being stored for a caller. */
const upkeep = /throttle|lease|outbox_position/

/** A digest of every table of every SQLite file in a data folder, by `file.table`. */
export async function storedContents(dir: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const file of (await readdir(dir)).filter((name) => name.endsWith('.db')).sort()) {
    using database = new DatabaseSync(join(dir, file), { readOnly: true })
    const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all()
    for (const { name } of tables as { name: string }[]) {
      if (upkeep.test(name)) continue
      const rows = database.prepare(`select * from "${name}"`).all().map(lineOf).sort()
      const digest = createHash('sha256').update(rows.join('\n')).digest('hex').slice(0, 16)
      found.set(`${file}.${name}`, `${rows.length} rows ${digest}`)
    }
  }
  return found
}

/** Every text and blob in the SQLite files, as one string to search in. */
export async function storedText(dir: string): Promise<string> {
  const parts: string[] = []
  for (const file of (await readdir(dir)).filter((name) => name.endsWith('.db'))) {
    using database = new DatabaseSync(join(dir, file), { readOnly: true })
    for (const { name } of database.prepare("select name from sqlite_master where type = 'table'").all()) {
      parts.push(...database.prepare(`select * from "${name}"`).all().map(lineOf))
    }
  }
  return parts.join('\n')
}

function lineOf(row: Record<string, unknown>): string {
  return JSON.stringify(row, (_, value) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
    return typeof value === 'bigint' ? String(value) : value
  })
}
