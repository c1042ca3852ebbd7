/**
 * Structured concurrency: scopes whose deadline and cancellation travel with the call, task groups that own their
 * tasks, what bounds, joins and orders work, and one shape of middleware for every edge.
 * @module
 */
export { type AsyncQueue, type AsyncQueueOptions, createAsyncQueue } from './async-queue.ts'
export { createKeyedExecutor, type KeyedExecutor, type KeyedExecutorOptions } from './keyed-executor.ts'
export { limitAtOnce, timeLimit } from './links.ts'
export { compose, type Handler, type Middleware } from './middleware.ts'
export {
  cancelledError,
  currentScope,
  deadlineError,
  enterScope,
  isOutermostScope,
  leaveScope,
  type OpenScope,
  openScope,
  type Scope,
  type ScopeOptions,
  withScope,
} from './scope.ts'
export {
  type AcquireOptions,
  createSemaphore,
  type Permit,
  type Semaphore,
  type SemaphoreOptions,
} from './semaphore.ts'
export { createSingleflight, type FlightOptions, type Singleflight } from './singleflight.ts'
export { type TaskGroup, type TaskGroupOptions, withTaskGroup } from './task-group.ts'
