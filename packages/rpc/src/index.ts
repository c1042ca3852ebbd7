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
