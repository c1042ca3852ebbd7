import type { Logger, Metrics } from '@plinth/telemetry'
import type { Observer } from '../usecases/ports.ts'

/** Counts outcomes, and logs the one thing an operator must see: a refresh token that came back. */
export function createObserver({ log, metrics }: { readonly log: Logger; readonly metrics: Metrics }): Observer {
  const outcomes = metrics.counter({
    name: 'identity_outcomes_total',
    help: 'Outcomes of registering, signing in, refreshing and verifying.',
    labels: ['what', 'outcome'],
  })
  return {
    count: (what, outcome) => outcomes.labels({ what, outcome }).inc(),
    reused({ sessionId, userId, rotations, repeats }) {
      log.warn('refresh_token_reused', { session_id: sessionId, user_id: userId, rotations, repeats })
    },
  }
}
