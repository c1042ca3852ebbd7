import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { type Clock, fromUnknown, type PlatformError, type Timer } from '@plinth/base'
import { leaveScope } from '@plinth/concurrency'
import type { Bus, NewMessage } from './bus.ts'
import { messagingFault } from './faults.ts'
import type { Outbox } from './outbox.ts'
import { createLease, type Lease } from './outbox-lease.ts'
import { fetchRows, type RelayStore, removeRows } from './outbox-rows.ts'

/** What a relay connects. */
export interface OutboxRelayDeps {
  readonly store: RelayStore
  readonly bus: Pick<Bus, 'publish'>
  /** The outbox whose commits wake the relay; without it the relay only polls. */
  readonly outbox?: Outbox
  readonly clock: Clock
}

/** Size and pace of a relay; out of bounds is a `RangeError`. */
export interface OutboxRelayOptions {
  /** Names the relay in its announcements. @default 'outbox' */
  readonly name?: string
  /** Most messages of one publish. 1 to 10000. @default 500 */
  readonly batchMessages?: number
  /** Payload bytes after which a batch ends; one message may exceed it. @default 4 MiB */
  readonly batchBytes?: number
  /**
   * How long to wait after a commit for others to join the batch, in milliseconds. 0 publishes at once.
   * @default 2
   */
  readonly lingerMs?: number
  /** How often to look without having been woken: finds what other processes committed. @default 1000 */
  readonly pollMs?: number
  /** First pause after a failure; it doubles up to `backoffMaxMs`. @default 50 */
  readonly backoffMinMs?: number
  /** @default 5000 */
  readonly backoffMaxMs?: number
  /** PostgreSQL only: how long a dead relay keeps the others waiting, by the database's clock. @default 5000 */
  readonly leaseMs?: number
}

/** What the relay announces on `plinth:messaging:outbox` after each batch and each failure. */
export interface OutboxAnnouncement {
  readonly name: string
  /** Messages published and removed by this batch. */
  readonly published: number
  /** Age of the oldest message of the batch when it was published, in milliseconds. */
  readonly lagMs: number
  /** Failures in a row so far; 0 after a batch that went well. */
  readonly failures: number
  readonly fault?: PlatformError
}

/** Carries the messages of one outbox to the bus until it is closed. */
export interface OutboxRelay extends AsyncDisposable {
  /** Looks now instead of at the next poll. */
  wake(): void
  /** Ends after the batch under way. */
  close(): Promise<void>
}

const announcements = channel('plinth:messaging:outbox')

/**
 * Starts carrying messages from the outbox to the bus. It begins with what an earlier process left, publishes in the
 * order of the outbox, and removes what the bus has acknowledged in a unit of work of its own. If the bus or the
 * database fails it tries again with growing pauses; nothing is lost and nothing overtakes within a key. A crash
 * between the acknowledgement and the removal publishes a batch again: consumers tell by their inbox.
 *
 * One relay publishes at a time. On SQLite the store belongs to one process, so start one. On PostgreSQL start as
 * many as there are processes: a lease row lets one work, and another takes over `leaseMs` after it went silent.
 *
 * @example
 * ```ts no-run
 * await using relay = startOutboxRelay({ store, bus, outbox, clock: systemClock })
 * ```
 */
export function startOutboxRelay(deps: OutboxRelayDeps, options: OutboxRelayOptions = {}): OutboxRelay {
  const relay = new Relay(deps, resolveRelayOptions(options))
  relay.wake()
  return relay
}

type ResolvedRelayOptions = Required<OutboxRelayOptions>

function resolveRelayOptions(options: OutboxRelayOptions): ResolvedRelayOptions {
  const resolved: ResolvedRelayOptions = {
    name: options.name ?? 'outbox',
    batchMessages: options.batchMessages ?? 500,
    batchBytes: options.batchBytes ?? 4 << 20,
    lingerMs: options.lingerMs ?? 2,
    pollMs: options.pollMs ?? 1000,
    backoffMinMs: options.backoffMinMs ?? 50,
    backoffMaxMs: options.backoffMaxMs ?? 5000,
    leaseMs: options.leaseMs ?? 5000,
  }
  const { batchMessages } = resolved
  if (!Number.isInteger(batchMessages) || batchMessages < 1 || batchMessages > 10_000) {
    throw new RangeError(`Cannot relay ${batchMessages} messages at once: batchMessages is 1 to 10000`)
  }
  for (const name of ['batchBytes', 'pollMs', 'backoffMinMs', 'backoffMaxMs', 'leaseMs'] as const) {
    if (!(resolved[name] > 0)) throw new RangeError(`Cannot relay with ${name} ${resolved[name]}: it must be above 0`)
  }
  return resolved
}

class Relay implements OutboxRelay {
  readonly #deps: OutboxRelayDeps
  readonly #options: ResolvedRelayOptions
  readonly #lease: Lease | undefined
  readonly #unlisten: (() => void) | undefined
  /**
   * Whoever commits wakes the relay, but it works for everybody: in the context of that call it would be cancelled with
   * it, go on trying in vain, and log under its trace.
   */
  readonly #apart = leaveScope(() => AsyncLocalStorage.snapshot())
  #timer: Timer | undefined
  #dueMs = Infinity
  #running: Promise<void> | undefined
  #woken = false
  #failures = 0
  #closed = false

  constructor(deps: OutboxRelayDeps, options: ResolvedRelayOptions) {
    this.#deps = deps
    this.#options = options
    this.#lease = deps.store.dialect === 'postgres' ? createLease(deps, options) : undefined
    this.#unlisten = deps.outbox?.onCommitted(() => this.#committed())
  }

  wake(): void {
    if (this.#closed) return
    if (this.#running) this.#woken = true
    else this.#schedule(0)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unlisten?.()
    this.#timer?.cancel()
    await this.#running
    await this.#lease?.release()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #committed(): void {
    if (this.#closed) return
    if (this.#running) this.#woken = true
    // During an outage commits must not turn the backoff into a busy loop.
    else if (this.#failures === 0) this.#schedule(this.#options.lingerMs)
  }

  #schedule(delayMs: number): void {
    const dueMs = this.#deps.clock.monotonicMs() + delayMs
    if (dueMs >= this.#dueMs) return
    this.#timer?.cancel()
    this.#dueMs = dueMs
    this.#timer = this.#apart(() =>
      this.#deps.clock.setTimer(() => {
        this.#dueMs = Infinity
        this.#running = this.#run()
      }, delayMs),
    )
  }

  async #run(): Promise<void> {
    let pauseMs = this.#options.pollMs
    try {
      do {
        this.#woken = false
        if (!(await this.#drain())) break
      } while (this.#woken && !this.#closed)
      this.#failures = 0
    } catch (error) {
      this.#failures++
      const { backoffMinMs, backoffMaxMs } = this.#options
      pauseMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures - 1, 30))
      this.#announce({ published: 0, lagMs: 0, fault: fromUnknown(error) })
    }
    this.#running = undefined
    if (!this.#closed) this.#schedule(pauseMs)
  }

  /** Publishes until nothing is left. Answers false if another relay has the lease. */
  async #drain(): Promise<boolean> {
    const { store, bus, clock } = this.#deps
    while (!this.#closed) {
      if (this.#lease && !(await this.#lease.hold())) return false
      const rows = await fetchRows(store, this.#options)
      if (rows.length === 0) return true
      const messages: NewMessage[] = rows.map((row) => row.message)
      // A relay whose lease ran out while it read must not publish beside its successor.
      if (this.#lease?.expired())
        throw messagingFault('messaging.relay_lease_lost', 'Cannot publish: the lease is over')
      await bus.publish(messages)
      await removeRows(store, rows)
      this.#failures = 0
      this.#announce({ published: rows.length, lagMs: Math.max(0, clock.nowMs() - (messages[0] as NewMessage).timeMs) })
    }
    return true
  }

  #announce(event: Omit<OutboxAnnouncement, 'name' | 'failures'>): void {
    if (!announcements.hasSubscribers) return
    announcements.publish({ name: this.#options.name, failures: this.#failures, ...event } satisfies OutboxAnnouncement)
  }
}
