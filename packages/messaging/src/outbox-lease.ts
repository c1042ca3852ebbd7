import { type Clock, createIds, createSystemRandom } from '@plinth/base'
import { sql } from '@plinth/data'
import type { RelayStore } from './outbox-rows.ts'

/** The right to publish, held by one relay of a database at a time. */
export interface Lease {
  /** Takes or renews it. Answers false while another relay has it. */
  hold(): Promise<boolean>
  /** Whether it ran out, by this process's monotonic clock and before the database says so. */
  expired(): boolean
  /** Gives it up, so that the next relay need not wait for its end. */
  release(): Promise<void>
}

interface LeaseParams {
  readonly holder: string
  readonly leaseMs: number
}

// Only the database's clock dates a lease: the clocks of several machines do not agree. Named casts because the
// parameter's type cannot be inferred inside the arithmetic.
const take = sql<LeaseParams>`
  insert into outbox_lease (name, holder, until_ms)
  values ('relay', ${'holder'}, cast(extract(epoch from clock_timestamp()) * 1000 as bigint) + cast(${'leaseMs'} as bigint))
  on conflict (name) do update set holder = excluded.holder, until_ms = excluded.until_ms
  where outbox_lease.holder = excluded.holder
    or outbox_lease.until_ms < cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`

const giveUp = sql<{ holder: string }>`delete from outbox_lease where name = 'relay' and holder = ${'holder'}`

/**
 * Makes a lease on the database's outbox. It is renewed when a third of its time has passed. What remains: a relay
 * that stalls inside `publish` for longer than the lease publishes its batch beside its successor, which shows as
 * duplicates, never as a loss; consumers tell them apart by their inbox.
 */
export function createLease(
  deps: { readonly store: RelayStore; readonly clock: Clock },
  options: { readonly leaseMs: number },
): Lease {
  const { store, clock } = deps
  const { leaseMs } = options
  const holder = createIds({ clock, random: createSystemRandom() }).next()
  let untilMs = -Infinity
  let renewMs = -Infinity
  return {
    async hold() {
      const nowMs = clock.monotonicMs()
      if (nowMs < renewMs) return true
      const { changes } = await store.write((tx) => tx.run(take, { holder, leaseMs }))
      // Counted from before the question was asked, so this side always ends first.
      untilMs = changes === 1 ? nowMs + leaseMs : -Infinity
      renewMs = changes === 1 ? nowMs + leaseMs / 3 : -Infinity
      return changes === 1
    },
    expired: () => clock.monotonicMs() >= untilMs,
    async release() {
      if (untilMs === -Infinity) return
      untilMs = -Infinity
      renewMs = -Infinity
      // A database that is away now gives the lease back by itself after leaseMs.
      await store.write((tx) => tx.run(giveUp, { holder })).catch(() => {})
    },
  }
}
