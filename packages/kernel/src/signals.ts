import process from 'node:process'

/** The signals an application listens to. */
export type ProcessSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

/** Where signals come from: the process, or a test. */
export interface SignalSource {
  /** Calls `listener` on every such signal until the answer is disposed; while it listens the signal does not kill. */
  on(signal: ProcessSignal, listener: () => void): Disposable
}

/** The signals of this process. */
export const processSignals: SignalSource = {
  on(signal, listener) {
    process.on(signal, listener)
    return { [Symbol.dispose]: () => void process.off(signal, listener) }
  },
}
