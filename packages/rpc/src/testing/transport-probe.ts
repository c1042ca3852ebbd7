import type { ProbeService } from '../../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import type { Client } from '../call.ts'
import type { ProbeImplementation } from './probe-service.ts'

/** What the tests of the suite share. */
export interface TransportProbe {
  /** Serves the probe service with these handlers and connects a client to it. */
  open(handlers?: Partial<ProbeImplementation>): Promise<OpenProbe>
}

/** A served probe service and its client. */
export interface OpenProbe extends AsyncDisposable {
  readonly client: Client<typeof ProbeService>
  stop(): Promise<void>
}

/** Largest answer in the suite, in bytes. */
export const testAnswerBytesMax = 1024 * 1024
