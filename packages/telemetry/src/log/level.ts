/** Severity by level. The numbers are those of pino and bunyan; only their order matters here. */
export const logLevels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, off: 70 } as const

/** How loud a record is. */
export type LogLevel = Exclude<keyof typeof logLevels, 'off'>

/** The least loud level that is written; `off` writes nothing. */
export type LogThreshold = keyof typeof logLevels

/** Whether `value` names a threshold, for configuration and admin end points. */
export function isLogThreshold(value: unknown): value is LogThreshold {
  return typeof value === 'string' && Object.hasOwn(logLevels, value)
}
