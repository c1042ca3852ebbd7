import type { FieldViolation } from '@plinth/base'
import { invalidRequest } from '../interceptors/validation.ts'

/** Bounds of what is read; past each the request is refused, whatever it would have meant. */
export interface JsonLimits {
  /** Messages, lists and objects inside one another. From 1 to 1,000. @default 64 */
  readonly depthMax?: number
  /** List items and map entries in the whole document. @default 100_000 */
  readonly elementsMax?: number
  /** Broken fields reported; the rest is not looked for. @default 100 */
  readonly violationsMax?: number
}

/** What a reader returns instead of a value that is wrong; the violation is already on record. */
export const wrong = Symbol('wrong')
export type Wrong = typeof wrong

/** Where a reader stands in a document and what it has found wrong so far. One for each document. */
export class DecodeState {
  readonly violations: FieldViolation[] = []
  readonly #path: (string | number)[] = []
  readonly #depthMax: number
  readonly #violationsMax: number
  #elementsLeft: number
  #depth = 0
  #stopped = false

  constructor(limits: JsonLimits = {}) {
    this.#depthMax = limits.depthMax ?? 64
    this.#elementsLeft = limits.elementsMax ?? 100_000
    this.#violationsMax = limits.violationsMax ?? 100
  }

  /** True when there is no use in reading on. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Steps into a field, item or map entry; {@link up} steps out. */
  down(step: string | number): void {
    this.#path.push(step)
  }

  up(): void {
    this.#path.pop()
  }

  /** Steps into a message, list or object, unless that is too deep; {@link leave} steps out. */
  enter(): boolean {
    if (this.#depth >= this.#depthMax) {
      this.fail('json.depth', `nested at most ${this.#depthMax} deep`)
      return false
    }
    this.#depth++
    return true
  }

  leave(): void {
    this.#depth--
  }

  /** Counts `elements`, unless those are too many. */
  take(elements: number): boolean {
    this.#elementsLeft -= elements
    if (this.#elementsLeft >= 0) return true
    if (!this.#stopped) this.fail('json.elements', 'fewer elements in the whole document')
    this.#stopped = true
    return false
  }

  /** Records what was expected here and what came. */
  fail(rule: string, expected: string, received?: unknown): Wrong {
    if (this.violations.length < this.#violationsMax) {
      const message = `expected ${expected}${received === undefined ? '' : `, received ${describe(received)}`}`
      this.violations.push({ field: formatPath(this.#path), rule, message })
    } else {
      this.#stopped = true
    }
    return wrong
  }

  /** Records a violation of a field below the place where the reader stands. */
  failAt(step: string, rule: string, expected: string, received?: unknown): Wrong {
    this.down(step)
    this.fail(rule, expected, received)
    this.up()
    return wrong
  }

  /** @throws PlatformError `rpc.invalid_request` with every violation, if there is one. */
  throwIfWrong(subject: string): void {
    if (this.violations.length > 0) throw invalidRequest(subject, this.violations)
  }
}

function formatPath(path: readonly (string | number)[]): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (step.startsWith('[')) text += step
    else text += text === '' ? step : `.${step}`
  }
  return text.isWellFormed() ? text : text.toWellFormed()
}

const shownMax = 40

/** Says what came, in a few characters and without what a log should not hold at length. */
function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value !== 'string') return String(value)
  if (!value.isWellFormed()) return 'a string with a lone surrogate'
  return value.length <= shownMax ? JSON.stringify(value) : `a string of ${value.length} characters`
}
