import { AsyncLocalStorage } from 'node:async_hooks'

/** The transactions this code runs in, innermost first; one store never appears twice. */
interface OpenTransaction {
  readonly store: object
  readonly outer: OpenTransaction | undefined
  open: boolean
}

const transactions = new AsyncLocalStorage<OpenTransaction>()

/**
 * Runs `work` marked as being inside a transaction of `store`. The mark ends with the transaction, so work left
 * running behind it may open another.
 */
export async function insideTransaction<T>(store: object, work: () => Promise<T>): Promise<T> {
  const transaction: OpenTransaction = { store, outer: transactions.getStore(), open: true }
  try {
    return await transactions.run(transaction, work)
  } finally {
    transaction.open = false
  }
}

/**
 * A transaction inside a transaction of the same store would wait for itself: on SQLite for the one writer, on
 * PostgreSQL for the last connection of the pool.
 *
 * @throws TypeError
 */
export function refuseNested(store: object): void {
  for (let at = transactions.getStore(); at; at = at.outer) {
    if (at.open && at.store === store) {
      throw new TypeError('Cannot open a transaction inside another of the same store: use the tx at hand')
    }
  }
}
