import { PlatformError } from '@plinth/base'
import type { HookReport } from '@plinth/kernel'

const causesMax = 10

/** Remembers why a start failed, and says it as a person would. */
export class StartTrouble {
  #fault: PlatformError | undefined

  /** What a person can act on, if anything of that kind happened. */
  get fault(): PlatformError | undefined {
    return this.#fault
  }

  onHook({ hook, error }: HookReport): void {
    if (hook === 'start' && error !== undefined) this.#fault ??= explainStart(error)
  }
}

/** The part of a failed start that a person can do something about; undefined when there is none. */
export function explainStart(error: unknown): PlatformError | undefined {
  let cause: unknown = error
  for (let depth = 0; depth < causesMax && Error.isError(cause); depth++) {
    if (PlatformError.is(cause) && cause.code === 'messaging.folder_locked') {
      return new PlatformError('Cannot open the shop: another one runs on the same data folder', {
        kind: cause.kind,
        code: cause.code,
        cause: error,
      })
    }
    const { code, port } = cause as NodeJS.ErrnoException & { readonly port?: number }
    const taken = /EADDRINUSE.*?(\d+)$/.exec(cause.message)
    if (code === 'EADDRINUSE' || taken) {
      return new PlatformError(`Cannot open the shop: port ${port ?? taken?.[1] ?? ''} is taken`, {
        kind: 'precondition',
        code: 'plinth.port_taken',
        cause: error,
      })
    }
    cause = cause.cause
  }
  return undefined
}
