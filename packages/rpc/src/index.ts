/**
 * One contract, served over gRPC, REST and inside the process with the same semantics.
 * @module
 */
export { bindService, methodName } from './bind-service.ts'
export type {
  CallContext,
  CallHeaders,
  CallOptions,
  Client,
  MethodHandler,
  Principal,
  ServiceBinding,
  ServiceImplementation,
  Transport,
} from './call.ts'
export { type CallContextOptions, createCallContext, type OpenCall } from './call-scope.ts'
export { createClient } from './client.ts'
export { type Contract, defineContract } from './contract.ts'
export { type CopyMessage, compileCopy } from './copy-message.ts'
export {
  type BoundMethod,
  createDispatcher,
  type Dispatcher,
  type Interceptor,
  type MethodInterceptor,
  type StreamMiddleware,
  type UnaryMiddleware,
} from './dispatch.ts'
export { transferFault } from './faults.ts'
export type { HealthPort, ServiceHealth } from './grpc/health.ts'
export { createRoundRobinPicker, type Peer, type Picker } from './grpc/picker.ts'
export { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './grpc/server.ts'
export { createGrpcTransport, type GrpcTransportOptions } from './grpc/transport.ts'
export { createInProcessTransport, type InProcessOptions } from './in-process-transport.ts'
export { type Authenticator, createAuthInterceptor } from './interceptors/auth.ts'
export { createDeadlineInterceptor, type DeadlineOptions } from './interceptors/deadline.ts'
export { idempotencyKeyInterceptor } from './interceptors/idempotency-key.ts'
export { createLimitsInterceptor, type LimitOptions } from './interceptors/limits.ts'
export { recoverInterceptor } from './interceptors/recover.ts'
export { type StandardInterceptorOptions, standardInterceptors } from './interceptors/standard.ts'
export { createValidationInterceptor, invalidRequest } from './interceptors/validation.ts'
export type { JsonLimits } from './json/decode-state.ts'
export { compileJsonDecoder, type JsonDecoder, type JsonDecoderOptions } from './json/json-decoder.ts'
export { compileJsonEncoder, type JsonEncoder, type JsonEncoderOptions } from './json/json-encoder.ts'
export { parseJson } from './json/parse-json.ts'
export { type OnceKey, onceKey } from './once-key.ts'
export type { ErrorCodeEntry } from './openapi/docs-pages.ts'
export type { ContractComments, JsonSchema } from './openapi/json-schema.ts'
export { type ApiDocsOptions, mountApiDocs } from './openapi/mount-api-docs.ts'
export { type ApiInfo, createOpenApi } from './openapi/open-api.ts'
export { decodePageToken, encodePageToken, type PageStart, pageTokenInvalid } from './page-token.ts'
export { createPostmanCollection } from './postman/postman-collection.ts'
export { mountRest, type RestOptions } from './rest/mount-rest.ts'
export { compileValidator, type Validator, type ValidatorOptions } from './validate/compile-validator.ts'
