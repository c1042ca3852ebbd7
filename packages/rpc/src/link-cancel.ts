import { isOutermostScope, type Scope } from '@plinth/concurrency'
import type { CallOptions } from './call.ts'
import { abortFault } from './faults.ts'

function nothing(): void {}

/**
 * Calls `cancel` when the caller no longer wants its call: when the signal it brought aborts, or else that of the
 * scope around it. A scope that is itself a call is asked directly, so that no `AbortSignal` has to be made for a call
 * nobody cancels. The result takes the listener back.
 */
export function linkCancel(options: CallOptions, scope: Scope, cancel: (reason: unknown) => void): () => void {
  if (options.signal === undefined) {
    if (isOutermostScope(scope)) return nothing
    if (listensToCancel(scope)) return scope.onCancel(cancel)
  }
  const signal = options.signal ?? scope.signal
  const onAbort = () => cancel(abortFault(signal.reason))
  if (signal.aborted) {
    onAbort()
    return nothing
  }
  signal.addEventListener('abort', onAbort)
  return () => signal.removeEventListener('abort', onAbort)
}

function listensToCancel(scope: Scope): scope is Scope & { onCancel(listener: (reason: unknown) => void): () => void } {
  return 'onCancel' in scope
}
