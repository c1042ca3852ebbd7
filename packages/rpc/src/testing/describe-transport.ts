import { describe } from 'node:test'
import { ProbeService } from '../../contract/gen/plinth/rpc/testing/v1/transport_pb.ts'
import type { Transport } from '../call.ts'
import { createClient } from '../client.ts'
import type { Dispatcher } from '../dispatch.ts'
import { createProbeDispatcher } from './probe-service.ts'
import { testFaults } from './transport-faults.ts'
import { testLimits } from './transport-limits.ts'
import { testMessages } from './transport-messages.ts'
import { type TransportProbe, testAnswerBytesMax } from './transport-probe.ts'
import { testStreams } from './transport-streams.ts'

/** A dispatcher and a way to call it. */
export interface OpenTransport extends AsyncDisposable {
  readonly transport: Transport
  /** Ends the serving side at once, calls under way included. */
  stop(): Promise<void>
}

/** What the suite demands of the transport it opens. */
export interface TransportTestOptions {
  /** Largest answer that the client side takes. */
  readonly answerBytesMax: number
}

/** Serves the dispatcher and connects to it; called for every test anew. */
export type OpenTransportUnderTest = (dispatcher: Dispatcher, options: TransportTestOptions) => Promise<OpenTransport>

/**
 * What every transport promises: deadlines, cancellation, faults, validation, copies, headers, limits and streams are
 * the same, whether a call crosses a wire or not.
 */
export function describeTransport(name: string, open: OpenTransportUnderTest): void {
  const probe: TransportProbe = {
    async open(handlers) {
      const opened = await open(createProbeDispatcher(handlers), { answerBytesMax: testAnswerBytesMax })
      return {
        client: createClient(ProbeService, opened.transport),
        stop: () => opened.stop(),
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      }
    },
  }
  describe(`Transport: ${name}`, () => {
    testMessages(probe)
    testFaults(probe)
    testLimits(probe)
    testStreams(probe)
  })
}
