import { create, type DescService, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js'
import { PlatformError } from '@plinth/base'
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../contract/gen/grpc/health/v1/health_pb.ts'
import { asBuffer, sameBytes } from './message-stream.ts'
import { faultToStatus } from './status.ts'

/** Whether a service answers calls now. */
export type ServiceHealth = 'serving' | 'not_serving'

/** Who knows how services are. The kernel implements it; asked on every check, so it answers from memory. */
export interface HealthPort {
  /** Of a service by its full name, of the whole server by the empty one; undefined for a service nobody knows. */
  status(service: string): ServiceHealth | undefined
  /** Calls `listener` after anything may have changed, until the result is called. */
  subscribe(listener: () => void): () => void
}

/** Watchers past this are refused: they never end by themselves. */
const watchersMax = 1000

/** Serves `grpc.health.v1`; `stop` tells all watchers that nothing is served any more and ends their streams. */
export function serveHealth(server: Server, services: readonly DescService[], port?: HealthPort): { stop(): void } {
  const health = port ?? alwaysServing(services)
  const watchers = new Set<Watcher>()
  let stopping = false
  const statusOf = (service: string): ServingStatus => {
    const known = health.status(service)
    if (known === undefined) return ServingStatus.SERVICE_UNKNOWN
    return known === 'serving' && !stopping ? ServingStatus.SERVING : ServingStatus.NOT_SERVING
  }
  const check = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    try {
      const { service } = fromBinary(HealthCheckRequestSchema, call.request)
      const status = statusOf(service)
      if (status === ServingStatus.SERVICE_UNKNOWN) throw unknownService(service)
      answer(null, encode(status))
    } catch (error) {
      answer(faultToStatus(error))
    }
  }
  const watch = (call: ServerWritableStream<Buffer, Buffer>) => {
    try {
      if (watchers.size >= watchersMax || stopping) throw tooManyWatchers()
      const { service } = fromBinary(HealthCheckRequestSchema, call.request)
      const watcher = new Watcher(call, () => statusOf(service))
      watchers.add(watcher)
      const forget = health.subscribe(() => watcher.update())
      call.on('cancelled', () => {
        forget()
        watchers.delete(watcher)
      })
      watcher.update()
    } catch (error) {
      call.emit('error', faultToStatus(error))
    }
  }
  server.register('/grpc.health.v1.Health/Check', check as never, sameBytes, sameBytes, 'unary')
  server.register('/grpc.health.v1.Health/Watch', watch as never, sameBytes, sameBytes, 'serverStream')
  return {
    stop() {
      stopping = true
      for (const watcher of watchers) watcher.end()
      watchers.clear()
    },
  }
}

/** Sends a status only when it differs from the last one sent, so a slow reader finds the newest, not a backlog. */
class Watcher {
  readonly #call: ServerWritableStream<Buffer, Buffer>
  readonly #status: () => ServingStatus
  #sent: ServingStatus | undefined
  #blocked = false

  constructor(call: ServerWritableStream<Buffer, Buffer>, status: () => ServingStatus) {
    this.#call = call
    this.#status = status
    call.on('drain', () => {
      this.#blocked = false
      this.update()
    })
  }

  update(): void {
    const status = this.#status()
    if (this.#blocked || status === this.#sent) return
    this.#sent = status
    this.#blocked = !this.#call.write(encode(status))
  }

  end(): void {
    this.update()
    this.#call.end()
  }
}

function encode(status: ServingStatus): Buffer {
  return asBuffer(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status })))
}

function alwaysServing(services: readonly DescService[]): HealthPort {
  const names = new Set(['', ...services.map((service) => service.typeName)])
  return { status: (service) => (names.has(service) ? 'serving' : undefined), subscribe: () => () => {} }
}

function unknownService(service: string): PlatformError {
  return new PlatformError(`Cannot check ${JSON.stringify(service.slice(0, 200))}: no such service is served here`, {
    kind: 'not_found',
    code: 'rpc.service_unknown',
  })
}

function tooManyWatchers(): PlatformError {
  return new PlatformError(`Cannot watch: ${watchersMax} watchers are there, or the server is closing`, {
    kind: 'exhausted',
    code: 'rpc.overloaded',
    retryAfterMs: 1000,
  })
}
