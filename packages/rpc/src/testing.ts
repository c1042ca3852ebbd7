/**
 * What other transports and services need to test against this package: the contract suite of transports and a probe
 * service with one method of every kind.
 * @module
 */
export {
  describeTransport,
  type OpenTransport,
  type OpenTransportUnderTest,
  type TransportTestOptions,
} from './testing/describe-transport.ts'
export { createProbeDispatcher, type ProbeImplementation, probeAuthenticator } from './testing/probe-service.ts'
