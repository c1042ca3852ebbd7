import { type Clock, PlatformError } from '@plinth/base'
import { openScope } from '@plinth/concurrency'
import { describeFailure } from '../describe-failure.ts'
import type { ConfigDefinition, ConfigSection, ConfigSubscriber, SectionChange } from './define-config.ts'
import { type Snapshot, sameValue } from './snapshot.ts'

type AnyChange = SectionChange<Readonly<Record<string, unknown>>>
type AnySubscriber = ConfigSubscriber<Readonly<Record<string, unknown>>>

const empty: Snapshot = { sections: new Map(), origins: new Map() }

/** Holds the snapshot and those who hear of its changes. */
export class SectionHub {
  readonly #clock: Clock
  readonly #checkTimeoutMs: number
  readonly #subscribers = new Map<string, Set<AnySubscriber>>()
  #snapshot: Snapshot = empty

  constructor(
    deps: { readonly clock: Clock },
    options: { readonly definitions: readonly ConfigDefinition[]; readonly checkTimeoutMs: number },
  ) {
    this.#clock = deps.clock
    this.#checkTimeoutMs = options.checkTimeoutMs
    for (const { name } of options.definitions) this.#subscribers.set(name, new Set())
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  section(name: string): ConfigSection<unknown> {
    const subscribers = this.#subscribers.get(name)
    if (!subscribers) throw new RangeError(`Cannot give the section ${name}: it is not part of this configuration`)
    const current = () => this.#snapshot.sections.get(name)
    return {
      get current() {
        return current()
      },
      subscribe(subscriber) {
        // A copy of its own, so that one subscriber given twice is told twice and leaves twice.
        const own: AnySubscriber = {
          check: (change, signal) => subscriber.check?.(change as SectionChange<unknown>, signal),
          apply: (change) => subscriber.apply?.(change as SectionChange<unknown>),
        }
        subscribers.add(own)
        return { [Symbol.dispose]: () => void subscribers.delete(own) }
      },
    }
  }

  /** Replaces the snapshot; sections without a change keep their identity. */
  swap(next: Snapshot): void {
    const sections = new Map(next.sections)
    for (const [name, value] of this.#snapshot.sections) {
      const after = sections.get(name)
      if (after && changedFields(value, after).size === 0) sections.set(name, value)
    }
    this.#snapshot = { sections, origins: next.origins }
  }

  /**
   * Asks all subscribers of changed sections, swaps if none objects, and answers the function that tells them.
   *
   * @throws PlatformError `kernel.config_vetoed` (precondition) with every reason.
   */
  async prepare(next: Snapshot): Promise<() => void> {
    const changes = this.#changes(next)
    const reasons = (await Promise.all(changes.map((each) => this.#ask(each)))).filter((reason) => reason !== undefined)
    if (reasons.length > 0) {
      throw new PlatformError(`Cannot change the configuration: ${reasons.join('; ')}`, {
        kind: 'precondition',
        code: 'kernel.config_vetoed',
        details: { reasons },
      })
    }
    this.swap(next)
    return () => {
      for (const { subscriber, change } of changes) {
        try {
          subscriber.apply?.(change)
        } catch (error) {
          // The change holds and the others must hear of it; a subscriber that throws is a bug for the supervisor.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    }
  }

  #changes(next: Snapshot) {
    const found: { readonly section: string; readonly subscriber: AnySubscriber; readonly change: AnyChange }[] = []
    for (const [section, value] of next.sections) {
      const previous = this.#snapshot.sections.get(section) ?? {}
      const changed = changedFields(previous, value)
      if (changed.size === 0) continue
      for (const subscriber of this.#subscribers.get(section) ?? []) {
        found.push({ section, subscriber, change: { previous, next: value, changed } })
      }
    }
    return found
  }

  async #ask(each: { readonly section: string; readonly subscriber: AnySubscriber; readonly change: AnyChange }) {
    const timeoutMs = this.#checkTimeoutMs
    using scope = openScope({ clock: this.#clock, timeoutMs, signal: new AbortController().signal })
    const late = Promise.withResolvers<string>()
    scope.signal.addEventListener('abort', () => late.resolve(`no answer within ${timeoutMs} ms`), { once: true })
    const answer = (async () => each.subscriber.check?.(each.change, scope.signal))()
    // A subscriber that fails cannot vouch for the change.
    const failed = (error: unknown) => describeFailure(error)
    const reason = await Promise.race([late.promise, answer.catch(failed)])
    return reason === undefined ? undefined : `${each.section}: ${reason}`
  }
}

function changedFields(from: Readonly<Record<string, unknown>>, to: Readonly<Record<string, unknown>>): Set<string> {
  return new Set(Object.keys(to).filter((name) => !sameValue(from[name], to[name])))
}
