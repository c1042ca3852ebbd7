import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js'

/** Keeps grpc-js from writing to the console: what it has to say arrives as a fault. The setting is its own global. */
export function silenceGrpc(): void {
  setLogVerbosity(logVerbosity.NONE)
}
