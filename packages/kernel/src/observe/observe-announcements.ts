import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { PlatformError } from '@plinth/base'
import type { CommitAnnouncement, PoolAnnouncement } from '@plinth/data'
import type { HttpRefusedAnnouncement, HttpRequestAnnouncement } from '@plinth/http'
import type {
  BusFaultAnnouncement,
  DeadLetterAnnouncement,
  GapAnnouncement,
  OutboxAnnouncement,
  RepairedAnnouncement,
} from '@plinth/messaging'
import type { Logger, Metrics } from '@plinth/telemetry'

interface AnnouncementDeps {
  readonly log: Logger
  readonly metrics: Metrics
}

/** What libraries announce, by channel. */
interface Announcements {
  readonly 'plinth:data:commit': CommitAnnouncement
  readonly 'plinth:data:pool': PoolAnnouncement
  readonly 'plinth:messaging:outbox': OutboxAnnouncement
  readonly 'plinth:messaging:dead_letter': DeadLetterAnnouncement
  readonly 'plinth:messaging:fault': BusFaultAnnouncement
  readonly 'plinth:messaging:gap': GapAnnouncement
  readonly 'plinth:messaging:repaired': RepairedAnnouncement
  readonly 'plinth:http:request': HttpRequestAnnouncement
  readonly 'plinth:http:refused': HttpRefusedAnnouncement
  readonly 'plinth:rpc:unexpected_error': { readonly method: string; readonly error: unknown }
  readonly 'plinth:security:key_ring_failed': { readonly error: unknown }
  readonly 'plinth:security:key_rotated': { readonly kid: string; readonly discardOld: boolean }
  readonly 'plinth:security:jwks_failed': { readonly error: unknown }
}

type Listeners = { readonly [Name in keyof Announcements]?: (announcement: Announcements[Name]) => void }

/**
 * Turns what the libraries announce on `node:diagnostics_channel` into metrics and lines, until the answer is
 * disposed. A program does this once; twice counts twice.
 */
export function observeAnnouncements(deps: AnnouncementDeps): Disposable {
  const stack = new DisposableStack()
  for (const listeners of [dataListeners(deps), messagingListeners(deps), httpListeners(deps), otherListeners(deps)]) {
    for (const [name, listener] of Object.entries(listeners)) {
      const own = (announcement: unknown) => listener(announcement as never)
      subscribe(name, own)
      stack.defer(() => void unsubscribe(name, own))
    }
  }
  return stack
}

function dataListeners({ log, metrics }: AnnouncementDeps): Listeners {
  const labels = ['store'] as const
  const commits = metrics.counter({
    name: 'data_commits_total',
    help: 'Commits, and those that failed',
    labels: ['store', 'outcome'],
  })
  const units = metrics.counter({ name: 'data_units_total', help: 'Units of work that took part in commits', labels })
  const seconds = metrics.histogram({
    name: 'data_commit_seconds',
    help: 'Time of the commit alone, which is the fsync',
    labels,
  })
  const queued = metrics.gauge({ name: 'data_units_queued', help: 'Units of work that wait for their turn', labels })
  const events = metrics.counter({
    name: 'data_pool_events_total',
    help: 'What happened in the pool',
    labels: ['store', 'event'],
  })
  const connections = metrics.gauge({
    name: 'data_pool_connections',
    help: 'Connections by state',
    labels: ['store', 'state'],
  })
  const waits = metrics.histogram({
    name: 'data_pool_wait_seconds',
    help: 'Time a caller waited for a connection',
    labels,
  })
  return {
    'plinth:data:commit': (commit) => {
      const store = { store: commit.store }
      commits.labels({ ...store, outcome: commit.failed ?? 'ok' }).inc()
      units.labels(store).inc(commit.units)
      seconds.labels(store).observe(commit.commitMs / 1000)
      queued.labels(store).set(commit.queued)
      if (commit.failed) log.error('commit_failed', { ...store, code: commit.failed, units: commit.units })
    },
    'plinth:data:pool': ({ store, event, total, idle, waiting, waitedMs }) => {
      events.labels({ store, event }).inc()
      connections.labels({ store, state: 'total' }).set(total)
      connections.labels({ store, state: 'idle' }).set(idle)
      connections.labels({ store, state: 'waiting' }).set(waiting)
      if (event === 'acquired') waits.labels({ store }).observe(waitedMs / 1000)
      else log[event === 'retried' ? 'debug' : 'warn']('pool_event', { store, event, total, idle, waiting })
    },
  }
}

function messagingListeners({ log, metrics }: AnnouncementDeps): Listeners {
  const relayed = metrics.counter({
    name: 'outbox_published_total',
    help: 'Messages the relay has published',
    labels: ['outbox'],
  })
  const lag = metrics.gauge({
    name: 'outbox_lag_seconds',
    help: 'Age of the oldest message of the last batch',
    labels: ['outbox'],
  })
  const dead = metrics.counter({
    name: 'messaging_dead_letters_total',
    help: 'Messages set aside',
    labels: ['group', 'topic'],
  })
  const faults = metrics.counter({
    name: 'messaging_faults_total',
    help: 'Faults of the bus by what it was doing',
    labels: ['doing'],
  })
  return {
    'plinth:messaging:outbox': ({ name, published, lagMs, failures, fault }) => {
      relayed.labels({ outbox: name }).inc(published)
      lag.labels({ outbox: name }).set(lagMs / 1000)
      if (fault) log.warn('outbox_failed', { outbox: name, failures, ...faultFields(fault) })
    },
    'plinth:messaging:dead_letter': ({ group, topic, id, messageId, attempts, failure }) => {
      dead.labels({ group, topic }).inc()
      log.warn('dead_letter', { group, topic, letter_id: id, message_id: messageId, attempts, failure })
    },
    'plinth:messaging:fault': ({ doing, group, topic, fault }) => {
      faults.labels({ doing }).inc()
      log.error('bus_fault', { doing, group, topic, ...faultFields(fault) })
    },
    'plinth:messaging:gap': ({ group, topic, from, to }) => log.warn('messages_missed', { group, topic, from, to }),
    'plinth:messaging:repaired': ({ path, at, bytes }) => log.warn('log_repaired', { path, at, bytes }),
  }
}

function httpListeners({ log, metrics }: AnnouncementDeps): Listeners {
  const requests = metrics.counter({
    name: 'http_requests_total',
    help: 'Requests answered, by template of the route',
    labels: ['method', 'route', 'status'],
    cellsMax: 10_000,
  })
  const seconds = metrics.histogram({
    name: 'http_request_seconds',
    help: 'Time to the end of the answer',
    labels: ['method', 'route'],
  })
  const refused = metrics.counter({
    name: 'http_refused_total',
    help: 'Connections refused below requests',
    labels: ['code'],
  })
  return {
    'plinth:http:request': ({ method, route, status, durationMs }) => {
      requests.labels({ method, route, status: String(status) }).inc()
      seconds.labels({ method, route }).observe(durationMs / 1000)
    },
    'plinth:http:refused': ({ code, status, peer }) => {
      refused.labels({ code }).inc()
      log.debug('http_refused', { code, status, peer })
    },
  }
}

function otherListeners({ log }: AnnouncementDeps): Listeners {
  return {
    // The call's own line has the fault; this one has what was thrown, which the fault hides from strangers.
    'plinth:rpc:unexpected_error': ({ method, error }) => log.error('unexpected_error', { method, error }),
    'plinth:security:key_ring_failed': ({ error }) => log.error('key_ring_failed', { error }),
    'plinth:security:key_rotated': ({ kid, discardOld }) => log.info('key_rotated', { kid, discard_old: discardOld }),
    'plinth:security:jwks_failed': ({ error }) => log.warn('jwks_failed', { error }),
  }
}

function faultFields(fault: PlatformError): Readonly<Record<string, unknown>> {
  return { kind: fault.kind, code: fault.code, error: fault }
}
