/**
 * What other transports and services need to test against this package: the contract suite of transports, a probe
 * service with one method of every kind, and what a contract says of its messages, to generate requests from.
 * @module
 */
export { exampleOf } from './openapi/example.ts'
export { boundsOf, type FieldBounds } from './openapi/field-bounds.ts'
export {
  describeTransport,
  type OpenTransport,
  type OpenTransportUnderTest,
  type TransportTestOptions,
} from './testing/describe-transport.ts'
export { createProbeDispatcher, type ProbeImplementation, probeAuthenticator } from './testing/probe-service.ts'
