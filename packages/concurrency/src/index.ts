/**
 * Structured concurrency: scopes whose deadline and cancellation travel with the call, task groups that own their
 * tasks, and one shape of middleware for every edge.
 * @module
 */
export { compose, type Handler, type Middleware } from './middleware.ts'
export {
  cancelledError,
  currentScope,
  deadlineError,
  enterScope,
  type OpenScope,
  openScope,
  type Scope,
  type ScopeOptions,
  withScope,
} from './scope.ts'
export { type TaskGroup, type TaskGroupOptions, withTaskGroup } from './task-group.ts'
