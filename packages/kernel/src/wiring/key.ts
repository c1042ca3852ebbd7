declare const held: unique symbol

/**
 * Names a part of the application and carries its type. Two keys of one name are the same key, so a name is used
 * once in a program; what is provided under it must fit what is needed under it, which the compiler checks.
 */
export interface Key<out T, Name extends string = string> {
  readonly name: Name
  /** Holds the type only; no key has it at run time. */
  readonly [held]?: () => T
}

/** Parts by the local name under which a module uses them. */
export type KeyMap = Readonly<Record<string, Key<unknown>>>

/** What a key stands for. */
export type ValueOf<K> = K extends Key<infer T> ? T : never

/** The parts themselves, by the local names of their keys. */
export type ValuesOf<Keys extends KeyMap> = { readonly [Local in keyof Keys]: ValueOf<Keys[Local]> }

/**
 * Makes a key: the type first, then the name, so that the name keeps its literal type and can appear in errors.
 *
 * @throws RangeError when the name is not 1 to 200 characters of letters, digits and `. : / _ -`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { key } from '@plinth/kernel'
 *
 * const Greeting = key<string>()('greeting')
 * assert.equal(Greeting.name, 'greeting')
 * ```
 */
export function key<T>(): <const Name extends string>(name: Name) => Key<T, Name> {
  return (name) => {
    if (!namePattern.test(name)) {
      throw new RangeError(
        `Cannot make a key: its name is 1 to 200 of letters, digits and . : / _ -, received "${name}"`,
      )
    }
    return Object.freeze({ name })
  }
}

const namePattern = /^[A-Za-z0-9.:/_-]{1,200}$/
