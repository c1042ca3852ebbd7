import type { DescMethod, Message } from '@bufbuild/protobuf'
import {
  type ChannelCredentials,
  type ChannelOptions,
  type ClientDuplexStream,
  compressionAlgorithms,
  credentials,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import { type Clock, PlatformError, systemClock } from '@plinth/base'
import { deadlineError } from '@plinth/concurrency'
import type { CallHeaders, CallOptions, Transport } from '../call.ts'
import { requestHeadersOf } from '../headers.ts'
import { sameBytes, writeMessage } from './message-stream.ts'
import { headersToMetadata, metadataToHeaders } from './metadata.ts'
import { OutgoingCall } from './outgoing-call.ts'
import { PeerConnection } from './peer-connection.ts'
import { createRoundRobinPicker, type Picker } from './picker.ts'
import { silenceGrpc } from './silence-grpc.ts'
import { statusToFault } from './status.ts'
import { makeTarget, type Target } from './target.ts'

/** Whom to call and what to allow; each limit has its default. */
export interface GrpcTransportOptions {
  /** `host:port`, or several; names are resolved by DNS. */
  readonly address: string | readonly string[]
  /** @default plain HTTP/2 */
  readonly tls?: { readonly serverCa?: string; readonly key?: string; readonly certificate?: string }
  /** Sent with every call that does not bring the header itself, for example `authorization` of a service. */
  readonly headers?: () => Readonly<Record<string, string>>
  /** Time for a unary call that brought none and runs in no scope with a deadline. @default 30000 */
  readonly defaultTimeoutMs?: number
  /** How long a call waits for a connection, within its own deadline. @default 5000 */
  readonly connectTimeoutMs?: number
  /** Calls under way at once; past it `rpc.too_many_calls`. @default 1000 */
  readonly callsMax?: number
  /** Largest answer (message of a stream) in bytes. @default 16 MiB */
  readonly answerBytesMax?: number
  /** Compresses requests. @default 'none' */
  readonly compression?: 'none' | 'gzip' | 'deflate'
  /** Longest pause between attempts to connect again. @default 5000 */
  readonly reconnectMsMax?: number
  readonly keepalive?: { readonly intervalMs?: number; readonly timeoutMs?: number }
  /** @default round robin */
  readonly picker?: Picker
  /** @default systemClock */
  readonly clock?: Clock
}

/**
 * Calls services over gRPC with the semantics of the in-process transport. It connects on the first call and again
 * whenever the connection broke; calls wait for a connection up to `connectTimeoutMs`. Closing it ends its calls.
 */
export function createGrpcTransport(options: GrpcTransportOptions): Transport {
  silenceGrpc()
  return new GrpcTransport(options)
}

class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions
  readonly #clock: Clock
  readonly #peers: readonly PeerConnection[]
  readonly #picker: Picker
  readonly #targets = new Map<DescMethod, Target>()
  readonly #cancels = new Set<(reason: unknown) => void>()
  readonly #callsMax: number
  readonly #connectTimeoutMs: number
  readonly #defaultTimeoutMs: number
  #closed = false

  constructor(options: GrpcTransportOptions) {
    const addresses = typeof options.address === 'string' ? [options.address] : options.address
    if (addresses.length === 0) throw new RangeError('Cannot call a service without an address')
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#callsMax = options.callsMax ?? 1000
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 5000
    this.#defaultTimeoutMs = options.defaultTimeoutMs ?? 30_000
    this.#picker = options.picker ?? createRoundRobinPicker()
    const secret = channelCredentials(options.tls)
    const channel = channelOptions(options)
    this.#peers = addresses.map((address) => new PeerConnection(address, secret, channel, this.#clock))
  }

  async unary(method: DescMethod, request: unknown, options: CallOptions): Promise<unknown> {
    const target = this.#target(method)
    const bytes = target.encode(request)
    const call = new OutgoingCall(this.#cancels, options, this.#clock, this.#defaultTimeoutMs)
    const metadata = headersToMetadata(this.#headers(options))
    let peer: PeerConnection | undefined
    try {
      peer = this.#enter()
      const connecting = this.#connecting(peer, call)
      if (connecting) await connecting
      call.check()
      return await this.#send(peer, target, { bytes, metadata, call, options })
    } finally {
      call.finish()
      if (peer) peer.openCalls--
    }
  }

  /** Undefined when there is a connection already: a call then waits for nothing. */
  #connecting(peer: PeerConnection, call: OutgoingCall): Promise<void> | undefined {
    const leftMs = call.remainingMs()
    const ready = peer.ready(Math.min(this.#connectTimeoutMs, leftMs))
    return (
      ready &&
      Promise.race([ready, call.ended]).catch((error: unknown) => {
        // When the call's own deadline was the shorter one, time is what was missing.
        throw call.reason ?? (leftMs <= this.#connectTimeoutMs ? deadlineError() : error)
      })
    )
  }

  #send(peer: PeerConnection, target: Target, sent: Sent): Promise<Message> {
    const { bytes, metadata, call, options } = sent
    return new Promise((resolve, reject) => {
      let headers: CallHeaders | undefined
      const rpc = peer.client.makeUnaryRequest(
        target.path,
        sameBytes,
        sameBytes,
        bytes,
        metadata,
        call.grpcOptions(),
        (error: ServiceError | null, answer?: Buffer) => {
          if (error) return reject(call.reason ?? statusToFault(error))
          try {
            const message = target.decode(answer as Buffer)
            options.onHeaders?.(headers ?? new Map())
            resolve(message)
          } catch (failure) {
            reject(failure)
          }
        },
      )
      if (options.onHeaders) rpc.on('metadata', (received: Metadata) => (headers = metadataToHeaders(received)))
      call.onCancel((reason) => {
        reject(reason)
        rpc.cancel()
      })
    })
  }

  async *stream(
    method: DescMethod,
    requests: AsyncIterable<unknown>,
    options: CallOptions,
  ): AsyncGenerator<unknown, void, undefined> {
    const target = this.#target(method)
    const call = new OutgoingCall(this.#cancels, options, this.#clock, Infinity)
    const metadata = headersToMetadata(this.#headers(options))
    let peer: PeerConnection | undefined
    let rpc: ClientDuplexStream<Buffer, Buffer> | undefined
    try {
      peer = this.#enter()
      const connecting = this.#connecting(peer, call)
      if (connecting) await connecting
      call.check()
      // On the wire all streaming kinds are the same, so one kind of call serves them all.
      rpc = peer.client.makeBidiStreamRequest(target.path, sameBytes, sameBytes, metadata, call.grpcOptions())
      yield* this.#answers(rpc, target, { call, options, requests })
    } finally {
      call.finish()
      if (peer) peer.openCalls--
      rpc?.cancel()
    }
  }

  async *#answers(
    rpc: ClientDuplexStream<Buffer, Buffer>,
    target: Target,
    { call, options, requests }: StreamSent,
  ): AsyncGenerator<Message, void, undefined> {
    let headers: CallHeaders | undefined
    rpc.on('metadata', (received: Metadata) => (headers = metadataToHeaders(received)))
    // A call may fail when nobody reads any more; without a listener that would end the process.
    rpc.on('error', () => {})
    call.onCancel((reason) => rpc.destroy(reason as Error))
    const source = requests[Symbol.asyncIterator]()
    let finished = false
    rpc.on('status', () => (finished = true))
    const pumped = pump({ rpc, source, target, call }, () => finished || call.over)
    let headersDue = options.onHeaders !== undefined
    try {
      for await (const bytes of rpc) {
        if (headersDue) options.onHeaders?.(headers ?? new Map())
        headersDue = false
        yield target.decode(bytes as Buffer)
      }
      if (headersDue) options.onHeaders?.(headers ?? new Map())
    } catch (error) {
      throw call.reason ?? (isServiceError(error) ? statusToFault(error) : error)
    } finally {
      call.over = true
      rpc.cancel()
      // The source learns that nobody wants more; one that is busy learns it when it is done.
      void pumped.then(() => source.return?.()).then(undefined, () => {})
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const cancel of [...this.#cancels]) cancel(closedFault())
    for (const peer of this.#peers) peer.client.close()
  }

  #enter(): PeerConnection {
    if (this.#cancels.size > this.#callsMax) {
      throw new PlatformError(`Cannot call: ${this.#callsMax} calls of this client are under way`, {
        kind: 'exhausted',
        code: 'rpc.too_many_calls',
        retryAfterMs: 100,
      })
    }
    const peer = this.#peers.length === 1 ? (this.#peers[0] as PeerConnection) : this.#picker.pick(this.#peers)
    peer.openCalls++
    return peer
  }

  #headers(options: CallOptions): CallHeaders | undefined {
    const own = this.#options.headers
    return requestHeadersOf(own ? { ...options, headers: { ...own(), ...options.headers } } : options)
  }

  #target(method: DescMethod): Target {
    if (this.#closed) throw closedFault()
    const known = this.#targets.get(method)
    if (known) return known
    const target = makeTarget(method, this.#options.answerBytesMax)
    this.#targets.set(method, target)
    return target
  }
}

interface Sent {
  readonly bytes: Buffer
  readonly metadata: Metadata
  readonly call: OutgoingCall
  readonly options: CallOptions
}

interface StreamSent {
  readonly call: OutgoingCall
  readonly options: CallOptions
  readonly requests: AsyncIterable<unknown>
}

interface Pump {
  readonly rpc: ClientDuplexStream<Buffer, Buffer>
  readonly source: AsyncIterator<unknown>
  readonly target: Target
  readonly call: OutgoingCall
}

/** Sends requests as fast as the peer takes them. What the source throws ends the call with it. */
async function pump({ rpc, source, target, call }: Pump, isOver: () => boolean): Promise<void> {
  try {
    for (let sent = 1; ; sent++) {
      const step = await source.next()
      if (step.done || isOver()) break
      await writeMessage(rpc, target.encode(step.value), isOver)
      // A source that never waits would keep the event loop from learning that the call is over.
      if (sent % 32 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    rpc.end()
  } catch (error) {
    call.cancel(error)
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return Error.isError(error) && 'metadata' in error && 'details' in error
}

function channelCredentials(tls: GrpcTransportOptions['tls']): ChannelCredentials {
  if (!tls) return credentials.createInsecure()
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text))
  return credentials.createSsl(pem(tls.serverCa), pem(tls.key), pem(tls.certificate))
}

function channelOptions(options: GrpcTransportOptions): ChannelOptions {
  const compression =
    compressionAlgorithms[
      options.compression === undefined || options.compression === 'none' ? 'identity' : options.compression
    ]
  return {
    // Past twice the limit not even the bytes are taken in; below it the fault says what was too large.
    'grpc.max_receive_message_length': 2 * (options.answerBytesMax ?? 16 * 1024 * 1024),
    'grpc.max_send_message_length': -1,
    'grpc.default_compression_algorithm': compression,
    'grpc.initial_reconnect_backoff_ms': Math.min(100, options.reconnectMsMax ?? 5000),
    'grpc.max_reconnect_backoff_ms': options.reconnectMsMax ?? 5000,
    'grpc.keepalive_time_ms': options.keepalive?.intervalMs ?? 30_000,
    'grpc.keepalive_timeout_ms': options.keepalive?.timeoutMs ?? 10_000,
    // Retries are the caller's decision: grpc-js would keep every message for them.
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
    'grpc.use_local_subchannel_pool': 1,
  }
}

function closedFault(): PlatformError {
  return new PlatformError('The transport is closed', { kind: 'unavailable', code: 'rpc.transport_closed' })
}
