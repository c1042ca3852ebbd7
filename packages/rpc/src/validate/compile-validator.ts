import {
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  hasOption,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import {
  type FieldRules,
  field as fieldOption,
  Ignore,
  message as messageOption,
  oneof as oneofOption,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'
import { type Clock, type FieldViolation, systemClock } from '@plinth/base'
import { type AnyCheck, compileValueRules, refuse, rulesOf } from './value-rules.ts'
import { Violations } from './violations.ts'

/** What rules about time compare with. */
export interface ValidatorOptions {
  /** For rules that compare with now. @default systemClock */
  readonly clock?: Clock
}

/** Every broken rule of a message (at most 100), or undefined when there is none. */
export type Validator = (message: Message) => readonly FieldViolation[] | undefined

/**
 * Compiles the `buf.validate` rules of a message and of all it contains. On top of them every string must be
 * well-formed Unicode (`string.well_formed`), for a lone surrogate cannot be encoded, and hold no NUL
 * (`string.no_nul`), which databases cut off at or refuse. JSON inside a message (`Struct`, `Value`) may hold it.
 *
 * @throws TypeError naming the field for a rule that this compiler does not know: CEL, predefined rules, and the
 * standard rules that README.md lists. A rule is never silently left out.
 */
export function compileValidator(desc: DescMessage, options: ValidatorOptions = {}): Validator {
  const compiler = new ValidatorCompiler(options.clock ?? systemClock, 'rules')
  const steps = compiler.message(desc)
  return (message) => {
    const found = new Violations()
    run(steps, message as never, found)
    return found.result()
  }
}

/**
 * Compiles only the check that every string is well-formed Unicode without NUL, for the sending side: the rules of the contract
 * are the server's to enforce.
 */
export function compileTextCheck(desc: DescMessage): Validator {
  const steps = new ValidatorCompiler(systemClock, 'text').message(desc)
  return (message) => {
    const found = new Violations()
    run(steps, message as never, found)
    return found.result()
  }
}

type Fields = Readonly<Record<string, unknown>>
type Step = (message: Fields, found: Violations) => void

function run(steps: readonly Step[], message: Fields, found: Violations): void {
  for (let i = 0; i < steps.length; i++) (steps[i] as Step)(message, found)
}

class ValidatorCompiler {
  readonly #clock: Clock
  readonly #known = new Map<DescMessage, Step[]>()

  readonly #onlyText: boolean

  constructor(clock: Clock, what: 'rules' | 'text') {
    this.#clock = clock
    this.#onlyText = what === 'text'
  }

  /** The list is complete only when compiling ends: a message may contain itself. */
  message(desc: DescMessage): readonly Step[] {
    const known = this.#known.get(desc)
    if (known) return known
    const steps: Step[] = []
    this.#known.set(desc, steps)
    if (this.#onlyText) {
      steps.push(...desc.fields.map((field) => this.#field(field, false)).filter((step) => step !== undefined))
      return steps
    }
    const rules = getOption(desc, messageOption)
    if (rules.cel.length + rules.celExpression.length > 0 || rules.$unknown) refuse(desc.typeName, 'CEL')
    const grouped = new Set(rules.oneof.flatMap((group) => group.fields))
    for (const field of desc.fields) {
      const step = this.#field(field, grouped.has(field.name))
      if (step) steps.push(step)
    }
    for (const group of rules.oneof) steps.push(fieldGroup(desc, group.fields, group.required))
    for (const oneof of desc.oneofs) {
      if (hasOption(oneof, oneofOption) && getOption(oneof, oneofOption).required) steps.push(requiredOneof(oneof))
    }
    return steps
  }

  #field(field: DescField, grouped: boolean): Step | undefined {
    const rules = rulesOf(
      field,
      !this.#onlyText && hasOption(field, fieldOption) ? getOption(field, fieldOption) : undefined,
    )
    const ignore =
      grouped && rules?.ignore === Ignore.UNSPECIFIED
        ? Ignore.IF_ZERO_VALUE
        : (rules?.ignore ?? (grouped ? Ignore.IF_ZERO_VALUE : Ignore.UNSPECIFIED))
    if (ignore === Ignore.ALWAYS) return undefined
    const check = this.#value(field, rules)
    const required = rules?.required === true
    if (!check && !required) return undefined
    const read = reader(field)
    const isSet = presence(field)
    const onlyIfSet =
      ignore === Ignore.IF_ZERO_VALUE || field.presence !== implicitPresence || field.fieldKind === 'message'
    const step = field.jsonName
    return (message, found) => {
      const value = read(message)
      if ((required || onlyIfSet) && !isSet(value)) {
        if (!required) return
        const from = found.count
        found.add('required', 'is required')
        found.prefix(from, step)
        return
      }
      if (!check) return
      const from = found.count
      check(value as never, found)
      if (found.count !== from) found.prefix(from, step)
    }
  }

  #value(field: DescField, rules: FieldRules | undefined): AnyCheck | undefined {
    if (field.fieldKind === 'list') return this.#list(field, rules)
    if (field.fieldKind === 'map') return this.#map(field, rules)
    const bare = field.message && isWrapperDesc(field.message) && !field.oneof
    return this.#single(field, rules, bare === true)
  }

  /** One value: of a singular field, a list item or a map value. `bare` tells that a wrapper stands as its value. */
  #single(field: DescField, rules: FieldRules | undefined, bare: boolean): AnyCheck | undefined {
    const own = compileValueRules(field, rules, { clock: this.#clock, bare })
    if (!field.message) return own
    if (isWrapperDesc(field.message)) return own
    if (field.message.typeName === 'google.protobuf.Struct') return both(own, wellFormedJson)
    const inner = this.message(field.message)
    const nested = (value: Fields, found: Violations) => run(inner, value, found)
    return both(own, nested as AnyCheck)
  }

  #list(field: DescField & { fieldKind: 'list' }, rules: FieldRules | undefined): AnyCheck | undefined {
    const whole = this.#whole(field, rules)
    const itemRules = rules?.type.case === 'repeated' ? rulesOf(field, rules.type.value.items) : undefined
    const skipsZero = itemRules?.ignore === Ignore.IF_ZERO_VALUE && !field.message
    const check = itemRules?.ignore === Ignore.ALWAYS ? undefined : this.#single(field, itemRules, false)
    if (!check) return whole
    const items = (values: readonly unknown[], found: Violations) => {
      for (let i = 0; i < values.length && !found.isFull; i++) {
        if (skipsZero && isZero(values[i])) continue
        const from = found.count
        check(values[i] as never, found)
        if (found.count !== from) found.prefix(from, `[${i}]`)
      }
    }
    return both(whole, items as AnyCheck)
  }

  /** What is demanded of a list or map itself; without rules of its own there is nothing. */
  #whole(field: DescField, rules: FieldRules | undefined): AnyCheck | undefined {
    if (rules?.type.case === undefined) return undefined
    return compileValueRules(field, rules, { clock: this.#clock, bare: false })
  }

  #map(field: DescField & { fieldKind: 'map' }, rules: FieldRules | undefined): AnyCheck | undefined {
    const whole = this.#whole(field, rules)
    const own = rules?.type.case === 'map' ? rules.type.value : undefined
    const keyRules = rulesOf(field, own?.keys)
    const valueRules = rulesOf(field, own?.values)
    const ignoresKeys = keyRules?.ignore === Ignore.ALWAYS
    const checkKey = ignoresKeys
      ? undefined
      : compileValueRules(field, keyRules, { clock: this.#clock, bare: false, mapKey: true })
    const checkValue = valueRules?.ignore === Ignore.ALWAYS ? undefined : this.#single(field, valueRules, false)
    if (!checkKey && !checkValue) return whole
    const skipsZeroKey = keyRules?.ignore === Ignore.IF_ZERO_VALUE
    const skipsZeroValue = valueRules?.ignore === Ignore.IF_ZERO_VALUE && !field.message
    const keyOf = keyReader(field.mapKey)
    const text = field.mapKey === ScalarType.STRING
    const entries = (map: Fields, found: Violations) => {
      for (const name of Object.keys(map)) {
        if (found.isFull) return
        const from = found.count
        const key = keyOf(name)
        if (checkKey && !(skipsZeroKey && isZero(key))) checkKey(key as never, found)
        if (checkValue && !(skipsZeroValue && isZero(map[name]))) checkValue(map[name] as never, found)
        if (found.count !== from) found.prefix(from, text ? `[${JSON.stringify(name)}]` : `[${name}]`)
      }
    }
    return both(whole, entries as AnyCheck)
  }
}

const implicitPresence = 2

function both(first: AnyCheck | undefined, second: AnyCheck | undefined): AnyCheck | undefined {
  if (!first || !second) return first ?? second
  return (value, found) => {
    first(value, found)
    second(value, found)
  }
}

function reader(field: DescField): (message: Fields) => unknown {
  const name = field.localName
  if (!field.oneof) return (message) => message[name]
  const group = field.oneof.localName
  return (message) => {
    const chosen = message[group] as { case?: string; value?: unknown }
    return chosen.case === name ? chosen.value : undefined
  }
}

function presence(field: DescField): (value: unknown) => boolean {
  if (field.fieldKind === 'list') return (value) => (value as unknown[]).length > 0
  if (field.fieldKind === 'map') return (value) => Object.keys(value as object).length > 0
  if (field.presence !== implicitPresence || field.fieldKind === 'message') return (value) => value !== undefined
  if (field.fieldKind === 'enum') {
    const zero = field.enum.values[0]?.number
    return (value) => value !== zero
  }
  return (value) => !isZero(value)
}

function isZero(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.byteLength === 0
  return value === '' || value === 0 || value === 0n || value === false || value === '0'
}

function keyReader(kind: ScalarType): (name: string) => unknown {
  switch (kind) {
    case ScalarType.STRING:
      return (name) => name
    case ScalarType.BOOL:
      return (name) => name === 'true'
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return (name) => BigInt(name)
    default:
      return (name) => Number(name)
  }
}

function requiredOneof(oneof: DescOneof): Step {
  return (message, found) => {
    if ((message[oneof.localName] as { case?: string }).case !== undefined) return
    const from = found.count
    found.add('required', 'needs one of its fields')
    found.prefix(from, oneof.name)
  }
}

/** The rule `(buf.validate.message).oneof`: at most one of some ordinary fields, or exactly one. */
function fieldGroup(desc: DescMessage, names: readonly string[], required: boolean): Step {
  const members = names.map((name) => {
    const field = desc.fields.find((candidate) => candidate.name === name)
    if (!field) throw new TypeError(`Cannot compile ${desc.typeName}: its oneof rule names no field of it, "${name}"`)
    return { read: reader(field), isSet: presence(field) }
  })
  const list = names.join(', ')
  return (message, found) => {
    let count = 0
    for (const member of members) if (member.isSet(member.read(message))) count++
    if (count > 1) found.add('message.oneof', `takes only one of ${list}`)
    if (required && count === 0) found.add('message.oneof', `needs one of ${list}`)
  }
}

function wellFormedJson(value: unknown, found: Violations): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) found.add('string.well_formed', 'is not well-formed Unicode: it has a lone surrogate')
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      wellFormedJson(key, found)
      wellFormedJson(item, found)
    }
  }
}
