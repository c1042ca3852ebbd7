const masked = '[secret]'

/**
 * A value that cannot be printed by accident: string conversion, JSON, `util.inspect`, template literals and error
 * messages all show `[secret]`. Only {@link Secret.reveal} gives the value, and a grep for it finds every use.
 */
export class Secret<T = string> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The value itself. Call it where it is used, never earlier. */
  reveal(): T {
    return this.#value
  }

  toString(): string {
    return masked
  }

  toJSON(): string {
    return masked
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return masked
  }
}
