import type { RootLogger } from './logger.ts'

/**
 * Sees to it that no line is lost at the end of the process: flushes on exit (also on `process.exit()`), writes an
 * uncaught exception as `process_crashed` before the runtime ends the process as always, and flushes on SIGTERM and
 * SIGINT. A signal that somebody else handles too is left to them; otherwise it ends the process as it would have.
 * Disposing removes all of it.
 */
export function flushAtExit(log: RootLogger): Disposable {
  const onExit = () => log.sink.flushSync()
  const onCrash = (error: unknown, origin: string) => log.fatal('process_crashed', { error, origin })
  const onSignal = (signal: NodeJS.Signals) => {
    log.sink.flushSync()
    if (process.listenerCount(signal) > 1) return
    process.off(signal, onSignal)
    process.kill(process.pid, signal)
  }
  process.on('exit', onExit)
  process.on('uncaughtExceptionMonitor', onCrash)
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return {
    [Symbol.dispose]() {
      process.off('exit', onExit)
      process.off('uncaughtExceptionMonitor', onCrash)
      process.off('SIGTERM', onSignal)
      process.off('SIGINT', onSignal)
    },
  }
}
