/** A bug in Plinth itself: something that cannot happen did. Nothing below the supervisor catches it. */
export class InvariantError extends Error {
  static {
    InvariantError.prototype.name = 'InvariantError'
  }
}

/**
 * States what must hold here whatever the input was. For wrong input throw a `PlatformError`, for a misused library
 * a `TypeError`; this is for our own mistakes.
 *
 * @throws InvariantError when `condition` is false.
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(`Invariant broken: ${message}`)
}
