/** Values for every label of a metric. */
export type LabelValues<Label extends string> = Readonly<Record<Label, string>>

/** A metric with labels. */
export interface Labelled<Cell, Label extends string> {
  /**
   * The cell of these values. Look it up once where the values are known in advance: the cell's own methods allocate
   * nothing. Past the metric's `cellsMax` new values share one cell whose labels all read `overflow`.
   *
   * @throws TypeError if a label has no value.
   */
  labels(values: LabelValues<Label>): Cell
}

export type MetricType = 'counter' | 'gauge' | 'histogram'

type Node<Cell> = Map<string, Node<Cell>> | Cell

const overflowValue = 'overflow'

/** All cells of one metric, found by label values without building a key. */
export class Family<Cell extends object> implements Labelled<Cell, string> {
  readonly name: string
  readonly help: string
  readonly type: MetricType
  readonly labelNames: readonly string[]
  readonly #cellsMax: number
  readonly #make: () => Cell
  readonly #onOverflow: () => void
  readonly #tree = new Map<string, Node<Cell>>()
  readonly #cells: { readonly values: readonly string[]; readonly cell: Cell }[] = []
  #overflow: Cell | undefined

  constructor(
    facts: {
      readonly name: string
      readonly help: string
      readonly type: MetricType
      readonly labelNames: readonly string[]
    },
    options: { readonly cellsMax: number; readonly make: () => Cell; readonly onOverflow: () => void },
  ) {
    this.name = facts.name
    this.help = facts.help
    this.type = facts.type
    this.labelNames = facts.labelNames
    this.#cellsMax = options.cellsMax
    this.#make = options.make
    this.#onOverflow = options.onOverflow
  }

  labels(values: LabelValues<string>): Cell {
    const names = this.labelNames
    let node: Map<string, Node<Cell>> = this.#tree
    for (let at = 0; at < names.length - 1; at++) {
      const next = node.get(labelValue(values, names[at] as string))
      if (next === undefined) return this.#add(values)
      node = next as Map<string, Node<Cell>>
    }
    return (node.get(labelValue(values, names[names.length - 1] as string)) as Cell | undefined) ?? this.#add(values)
  }

  /** The cell of a metric without labels. */
  only(): Cell {
    const [first] = this.#cells
    if (first) return first.cell
    const cell = this.#make()
    this.#cells.push({ values: [], cell })
    return cell
  }

  /** Label values and cell, in the order the cells were made; the overflow cell last. */
  *cells(): Generator<{ readonly values: readonly string[]; readonly cell: Cell }> {
    yield* this.#cells
    if (this.#overflow) yield { values: this.labelNames.map(() => overflowValue), cell: this.#overflow }
  }

  #add(values: LabelValues<string>): Cell {
    const own = this.labelNames.map((name) => labelValue(values, name))
    if (this.#cells.length >= this.#cellsMax || own.every((value) => value === overflowValue)) {
      this.#onOverflow()
      this.#overflow ??= this.#make()
      return this.#overflow
    }
    const cell = this.#make()
    this.#cells.push({ values: own, cell })
    let node = this.#tree
    for (const value of own.slice(0, -1)) {
      node = node.getOrInsertComputed(value, () => new Map<string, Node<Cell>>()) as Map<string, Node<Cell>>
    }
    node.set(own[own.length - 1] as string, cell)
    return cell
  }
}

function labelValue(values: LabelValues<string>, name: string): string {
  const value = values[name]
  if (typeof value !== 'string') throw new TypeError(`Cannot find a cell: the label ${name} is ${typeof value}`)
  return value.length > valueCharsMax ? value.slice(0, valueCharsMax) : value
}

const valueCharsMax = 256
