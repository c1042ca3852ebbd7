/**
 * The ground: what every package may use and nothing else may replace. No I/O, no state, nothing at import.
 * @module
 */
export type { Brand } from './brand.ts'
export { type Clock, sleep, systemClock, type Timer } from './clock.ts'
export { type ErrorKind, errorKinds, type FaultLevel, isErrorKind } from './error-kind.ts'
export { createIds, type Ids, isUuid } from './ids.ts'
export { InvariantError, invariant } from './invariant.ts'
export {
  type ErrorDetails,
  type FieldViolation,
  fromUnknown,
  type JsonValue,
  PlatformError,
  type PlatformErrorOptions,
} from './platform-error.ts'
export { createSeededRandom, createSystemRandom, type Random } from './random.ts'
export { Secret } from './secret.ts'
