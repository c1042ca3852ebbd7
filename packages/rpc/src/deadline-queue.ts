import type { Clock, Timer } from '@plinth/base'

/** Something that is due at a moment, unless it is removed before. */
export interface DeadlineEntry {
  /** On the clock's monotonic scale. */
  readonly dueMs: number
  /** Position in the queue; -1 outside. Kept by the queue. */
  slot: number
  /** Called once, outside the queue. It must not throw. */
  expire(): void
}

/**
 * Many deadlines on one timer: a heap ordered by due time. Most calls end long before their deadline, so adding and
 * removing cost a few array steps and no timer of their own.
 */
export class DeadlineQueue implements Disposable {
  readonly #clock: Clock
  readonly #heap: DeadlineEntry[] = []
  #timer: Timer | undefined
  #timerDueMs = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#heap.length
  }

  add(entry: DeadlineEntry): void {
    this.#heap.push(entry)
    this.#up(this.#heap.length - 1, entry)
    const head = this.#heap[0] as DeadlineEntry
    if (head.dueMs < this.#timerDueMs) this.#arm(head.dueMs)
  }

  /** The timer stays armed for what was removed: it fires once in vain instead of being set anew for every call. */
  remove(entry: DeadlineEntry): void {
    const slot = entry.slot
    if (slot < 0) return
    entry.slot = -1
    const last = this.#heap.pop() as DeadlineEntry
    if (last === entry) return
    this.#up(slot, last)
    if (last.slot === slot) this.#down(slot, last)
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerDueMs = Infinity
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel()
    this.#timerDueMs = dueMs
    this.#timer = this.#clock.setTimer(() => this.#fire(), dueMs - this.#clock.monotonicMs())
  }

  #fire(): void {
    this.#timer = undefined
    this.#timerDueMs = Infinity
    const nowMs = this.#clock.monotonicMs()
    for (let head = this.#heap[0]; head !== undefined && head.dueMs <= nowMs; head = this.#heap[0]) {
      this.remove(head)
      head.expire()
    }
    const next = this.#heap[0]
    // Timers may fire a fraction early: a millisecond more spares a busy loop.
    if (next && next.dueMs < this.#timerDueMs) this.#arm(Math.max(next.dueMs, nowMs + 1))
  }

  #up(from: number, entry: DeadlineEntry): void {
    const heap = this.#heap
    let slot = from
    while (slot > 0) {
      const above = (slot - 1) >> 1
      const parent = heap[above] as DeadlineEntry
      if (parent.dueMs <= entry.dueMs) break
      heap[slot] = parent
      parent.slot = slot
      slot = above
    }
    heap[slot] = entry
    entry.slot = slot
  }

  #down(from: number, entry: DeadlineEntry): void {
    const heap = this.#heap
    let slot = from
    for (;;) {
      let below = 2 * slot + 1
      if (below >= heap.length) break
      const right = heap[below + 1]
      if (right && right.dueMs < (heap[below] as DeadlineEntry).dueMs) below++
      const child = heap[below] as DeadlineEntry
      if (child.dueMs >= entry.dueMs) break
      heap[slot] = child
      child.slot = slot
      slot = below
    }
    heap[slot] = entry
    entry.slot = slot
  }
}
