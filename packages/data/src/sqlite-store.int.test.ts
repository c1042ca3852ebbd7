import { openSqliteStore } from './sqlite-store.ts'
import { type ContractSchema, createSqliteFolder, describeSqlStore } from './testing.ts'

describeSqlStore(
  'SQLite',
  async () => {
    const folder = await createSqliteFolder()
    return {
      open: (options) => openSqliteStore<ContractSchema>({ path: folder.file, ...options }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    }
  },
  { serialisable: true, shared: true },
)
