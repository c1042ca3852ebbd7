import { type ChannelCredentials, type ChannelOptions, Client, connectivityState } from '@grpc/grpc-js'
import { type Clock, PlatformError } from '@plinth/base'
import type { Peer } from './picker.ts'

/** A channel to one address. grpc-js connects when it is needed and connects again, with backoff, when it broke. */
export class PeerConnection implements Peer {
  readonly address: string
  readonly client: Client
  readonly #clock: Clock
  openCalls = 0

  constructor(address: string, credentials: ChannelCredentials, options: ChannelOptions, clock: Clock) {
    this.address = address
    this.client = new Client(address, credentials, options)
    this.#clock = clock
  }

  get isReady(): boolean {
    return this.client.getChannel().getConnectivityState(false) === connectivityState.READY
  }

  /** Waits for a connection; undefined when there is one already, which is nearly always. */
  ready(waitMs: number): Promise<void> | undefined {
    if (this.client.getChannel().getConnectivityState(true) === connectivityState.READY) return undefined
    return new Promise((resolve, reject) => {
      this.client.waitForReady(this.#clock.nowMs() + waitMs, (error) => {
        if (!error) return resolve()
        reject(
          new PlatformError(`Cannot reach ${this.address}: no connection within ${Math.round(waitMs)} ms`, {
            kind: 'unavailable',
            code: 'rpc.peer_unreachable',
            cause: error,
          }),
        )
      })
    })
  }
}
