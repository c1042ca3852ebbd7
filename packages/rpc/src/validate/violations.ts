import type { FieldViolation } from '@plinth/base'

/** How many broken fields one answer names. */
const violationsMax = 100

/** Collects what is wrong with one message. Paths are built only for what is wrong, from the inside out. */
export class Violations {
  readonly list: { field: string; rule: string; message: string }[] = []

  get isFull(): boolean {
    return this.list.length >= violationsMax
  }

  get count(): number {
    return this.list.length
  }

  add(rule: string, message: string): void {
    if (!this.isFull) this.list.push({ field: '', rule, message })
  }

  /** Puts a step in front of the path of every violation found since there were `from`. */
  prefix(from: number, step: string): void {
    for (let i = from; i < this.list.length; i++) {
      const violation = this.list[i] as { field: string }
      if (violation.field === '') violation.field = step
      else violation.field = violation.field.startsWith('[') ? step + violation.field : `${step}.${violation.field}`
    }
  }

  result(): readonly FieldViolation[] | undefined {
    return this.list.length === 0 ? undefined : this.list
  }
}
