import { type Clock, fromUnknown, type PlatformError, sleep } from '@plinth/base'
import type { Mail, Mailer, Outgoing } from '../usecases/ports.ts'

export interface MailQueueOptions {
  /** Mails that may wait; one more is dropped. @default 1000 */
  readonly waitingMax?: number
  /** Tries for one mail before it is dropped. @default 4 */
  readonly attemptsMax?: number
  /** First pause between tries; it doubles. @default 500 */
  readonly pauseMs?: number
}

export interface MailQueueDeps {
  readonly mailer: Mailer
  readonly clock: Clock
  /** Hears of every mail that was dropped: nothing of it but why. It must not throw. */
  readonly onDropped: (reason: PlatformError | 'queue_full') => void
}

/** Mail on its way out, in memory: what a crash loses its owner asks for again. */
export interface MailQueue extends Outgoing, AsyncDisposable {
  /** Resolves when nothing waits any more. */
  settled(): Promise<void>
}

/** Sends mails one after the other, apart from the calls that cause them. Disposing it sends what waits, once each. */
export function createMailQueue(deps: MailQueueDeps, options: MailQueueOptions = {}): MailQueue {
  const { waitingMax = 1000, attemptsMax = 4, pauseMs = 500 } = options
  const { mailer, clock, onDropped } = deps
  const waiting: Mail[] = []
  const closing = new AbortController()
  let sending: Promise<void> | undefined

  async function sendOne(mail: Mail): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await mailer.send(mail)
        return
      } catch (error) {
        if (attempt >= attemptsMax || closing.signal.aborted) {
          onDropped(fromUnknown(error))
          return
        }
        // An abort only cuts the pause short: the mail gets its last try at once.
        await sleep(clock, pauseMs * 2 ** (attempt - 1), closing.signal).catch(() => {})
      }
    }
  }

  async function sendAll(): Promise<void> {
    for (let mail = waiting.shift(); mail; mail = waiting.shift()) await sendOne(mail)
    sending = undefined
  }

  return {
    post(mail) {
      if (waiting.length >= waitingMax) {
        onDropped('queue_full')
        return
      }
      waiting.push(mail)
      sending ??= sendAll()
    },
    settled: async () => sending,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await sending
    },
  }
}
