/**
 * What a caller needs and no server: contracts, clients and the way over gRPC. Importing it reads neither REST nor the
 * API reference, so a command line starts in half the time.
 * @module
 */
export type { CallOptions, Client, Transport } from './call.ts'
export { createClient } from './client.ts'
export { type Contract, defineContract } from './contract.ts'
export { createGrpcTransport, type GrpcTransportOptions } from './grpc/transport.ts'
