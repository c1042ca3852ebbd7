import { type DescField, type DescMessage, isFieldSet, type Message, ScalarType } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import { type FieldRules, FieldRulesSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'
import type { Clock } from '@plinth/base'
import { boolRules, bytesRules, enumRules, numberRules, type Range, rangeCheck, stringRules } from './scalar-rules.ts'
import type { Violations } from './violations.ts'

/** A check of values whose type the descriptor guarantees. */
export type AnyCheck = (value: never, found: Violations) => void
type Table = Readonly<Record<string, (rule: never, id: string) => AnyCheck | undefined>>

interface Context {
  readonly clock: Clock
  /** A wrapper that stands as its bare value. */
  readonly bare: boolean
  /** The rules are for the keys of a map. */
  readonly mapKey?: boolean
}

export function refuse(where: string, what: string): never {
  throw new TypeError(`Cannot compile the rules of ${where}: ${what} is not supported`)
}

/** The rules of a field, once it is sure that nothing in them is unknown. */
export function rulesOf(field: DescField, rules: FieldRules | undefined): FieldRules | undefined {
  if (rules && (rules.cel.length + rules.celExpression.length > 0 || rules.$unknown)) refuse(nameOf(field), 'CEL')
  return rules
}

/** The check of one value by the rules of its type; undefined when there is nothing to check. */
export function compileValueRules(
  field: DescField,
  rules: FieldRules | undefined,
  context: Context,
): AnyCheck | undefined {
  const type = typeOf(field, rules, context)
  const checks: AnyCheck[] = []
  if (type === 'string') checks.push(wellFormed as AnyCheck)
  if (rules?.type.case !== undefined) {
    if (rules.type.case !== type) refuse(nameOf(field), `a rule for ${rules.type.case} on a ${type ?? 'message'}`)
    checks.push(...compileRules(field, rules.type.value, type))
    const range = compileRange(type, rules.type.value as unknown as RangeRules, context.clock)
    if (range) checks.push(range)
  }
  const check = combine(checks)
  if (!check) return undefined
  if (
    field.message &&
    !context.bare &&
    !context.mapKey &&
    isWrapperDesc(field.message) &&
    type !== 'repeated' &&
    type !== 'map'
  ) {
    return ((value: { value: unknown }, found: Violations) => check(value.value as never, found)) as AnyCheck
  }
  if ('longAsString' in field && field.longAsString === true && field.fieldKind === 'scalar') {
    return ((value: string, found: Violations) => check(BigInt(value) as never, found)) as AnyCheck
  }
  return check
}

const handledElsewhere = new Set(['lt', 'lte', 'gt', 'gte', 'ltNow', 'gtNow', 'example', 'items', 'keys', 'values'])

function compileRules(field: DescField, rules: Message, type: string): AnyCheck[] {
  const option = FieldRulesSchema.field[type as keyof typeof FieldRulesSchema.field] as DescField
  const desc = option.message as DescMessage
  if (rules.$unknown) refuse(nameOf(field), `an extension of ${option.name}`)
  const table = tableOf(type, field)
  const checks: AnyCheck[] = []
  for (const rule of desc.fields) {
    if (!isFieldSet(rules, rule) || handledElsewhere.has(rule.localName)) continue
    const make = Object.hasOwn(table, rule.localName) ? table[rule.localName] : undefined
    const uncomparable = rule.localName === 'unique' && field.message !== undefined
    if (!make || uncomparable) refuse(nameOf(field), `the rule ${option.name}.${rule.name}`)
    try {
      const check = make(readRule(rules, rule) as never, `${option.name}.${rule.name}`)
      if (check) checks.push(check)
    } catch (error) {
      throw new TypeError(`Cannot compile the rules of ${nameOf(field)}: ${(error as Error).message}`)
    }
  }
  return checks
}

function readRule(rules: Message, rule: DescField): unknown {
  const holder = rules as unknown as Readonly<Record<string, unknown>>
  return rule.oneof ? (holder[rule.oneof.localName] as { value: unknown }).value : holder[rule.localName]
}

function tableOf(type: string, field: DescField): Table {
  switch (type) {
    case 'string':
      return stringRules as Table
    case 'bytes':
      return bytesRules as Table
    case 'bool':
      return boolRules as Table
    case 'enum':
      return field.enum ? (enumRules(field.enum) as Table) : {}
    case 'repeated':
      return listRules as Table
    case 'map':
      return mapRules as Table
    case 'any':
      return anyRules as Table
    case 'duration':
      return durationRules as Table
    case 'timestamp':
      return timestampConst as Table
    case 'fieldMask':
      return {}
    default:
      return numberRules as Table
  }
}

const scalarTypes: ReadonlyMap<ScalarType, string> = new Map([
  [ScalarType.FLOAT, 'float'],
  [ScalarType.DOUBLE, 'double'],
  [ScalarType.INT32, 'int32'],
  [ScalarType.INT64, 'int64'],
  [ScalarType.UINT32, 'uint32'],
  [ScalarType.UINT64, 'uint64'],
  [ScalarType.SINT32, 'sint32'],
  [ScalarType.SINT64, 'sint64'],
  [ScalarType.FIXED32, 'fixed32'],
  [ScalarType.FIXED64, 'fixed64'],
  [ScalarType.SFIXED32, 'sfixed32'],
  [ScalarType.SFIXED64, 'sfixed64'],
  [ScalarType.BOOL, 'bool'],
  [ScalarType.STRING, 'string'],
  [ScalarType.BYTES, 'bytes'],
])
const messageTypes: ReadonlyMap<string, string> = new Map([
  ['google.protobuf.Any', 'any'],
  ['google.protobuf.Duration', 'duration'],
  ['google.protobuf.Timestamp', 'timestamp'],
  ['google.protobuf.FieldMask', 'fieldMask'],
])

/** Which rules fit. List and map rules are for the whole; the rules inside them for the items, keys and values. */
function typeOf(field: DescField, rules: FieldRules | undefined, context: Context): string | undefined {
  if (context.mapKey && field.fieldKind === 'map') return scalarTypes.get(field.mapKey)
  if (field.fieldKind === 'list' && isWhole(field, rules)) return 'repeated'
  if (field.fieldKind === 'map' && isWhole(field, rules)) return 'map'
  if (field.enum) return 'enum'
  if (field.message) {
    if (isWrapperDesc(field.message))
      return scalarTypes.get((field.message.fields[0] as DescField).scalar as ScalarType)
    return messageTypes.get(field.message.typeName)
  }
  return scalarTypes.get(field.scalar as ScalarType)
}

function isWhole(field: DescField, rules: FieldRules | undefined): boolean {
  return rules?.type.case === (field.fieldKind === 'list' ? 'repeated' : 'map')
}

function nameOf(field: DescField): string {
  return `${field.parent.typeName}.${field.name}`
}

function combine(checks: readonly AnyCheck[]): AnyCheck | undefined {
  if (checks.length <= 1) return checks[0]
  return (value, found) => {
    for (let i = 0; i < checks.length; i++) (checks[i] as AnyCheck)(value, found)
  }
}

function wellFormed(value: string, found: Violations): void {
  if (!value.isWellFormed()) found.add('string.well_formed', 'is not well-formed Unicode: it has a lone surrogate')
  else if (value.includes('\0')) found.add('string.no_nul', 'holds the character NUL')
}

function check<T>(holds: (value: T) => boolean, id: string, message: string) {
  return (value: T, found: Violations): void => {
    if (!holds(value)) found.add(id, message)
  }
}

const listRules = {
  minItems: (rule: bigint, id: string) =>
    check((v: unknown[]) => v.length >= Number(rule), id, `must have at least ${rule} items`),
  maxItems: (rule: bigint, id: string) =>
    check((v: unknown[]) => v.length <= Number(rule), id, `must have at most ${rule} items`),
  unique: (rule: boolean, id: string) => (rule ? check(isUnique, id, 'must have no item twice') : undefined),
}

function isUnique(values: readonly unknown[]): boolean {
  const seen = new Set<unknown>()
  for (const value of values) {
    // NaN equals nothing, itself included.
    if (Number.isNaN(value)) continue
    const key = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value
    if (seen.has(key)) return false
    seen.add(key)
  }
  return true
}

const mapRules = {
  minPairs: (rule: bigint, id: string) =>
    check((v: object) => Object.keys(v).length >= Number(rule), id, `must have at least ${rule} entries`),
  maxPairs: (rule: bigint, id: string) =>
    check((v: object) => Object.keys(v).length <= Number(rule), id, `must have at most ${rule} entries`),
}

const anyRules = {
  in: (rule: readonly string[], id: string) =>
    check((v: { typeUrl: string }) => rule.includes(v.typeUrl), id, `must be of type ${rule.join(' or ')}`),
  notIn: (rule: readonly string[], id: string) =>
    check((v: { typeUrl: string }) => !rule.includes(v.typeUrl), id, `must not be of type ${rule.join(' or ')}`),
}

interface Seconds {
  readonly seconds: bigint
  readonly nanos: number
}

function nanosOf(value: Seconds): bigint {
  return value.seconds * 1_000_000_000n + BigInt(value.nanos)
}

function showNanos(nanos: bigint): string {
  return `${Number(nanos) / 1e9} s`
}

const timestampConst = {
  const: (rule: Seconds, id: string) =>
    check((v: Seconds) => nanosOf(v) === nanosOf(rule), id, `must equal ${showNanos(nanosOf(rule))}`),
  within: () => undefined,
}

const durationRules = {
  const: timestampConst.const,
  in: (rule: readonly Seconds[], id: string) =>
    check((v: Seconds) => rule.some((one) => nanosOf(one) === nanosOf(v)), id, 'must be one of the listed durations'),
  notIn: (rule: readonly Seconds[], id: string) =>
    check((v: Seconds) => rule.every((one) => nanosOf(one) !== nanosOf(v)), id, 'must not be a listed duration'),
}

interface RangeRules {
  readonly greaterThan?: { readonly case?: string; readonly value?: unknown }
  readonly lessThan?: { readonly case?: string; readonly value?: unknown }
  readonly within?: Seconds
}

function compileRange(type: string, rules: RangeRules, clock: Clock): AnyCheck | undefined {
  const timed = type === 'duration' || type === 'timestamp'
  const end = (rule: RangeRules['lessThan']) =>
    rule?.case === undefined || rule.case.endsWith('Now')
      ? undefined
      : { rule: rule.case, bound: (timed ? nanosOf(rule.value as Seconds) : rule.value) as bigint }
  const range: Range<bigint> = { kind: type, lower: end(rules.greaterThan), upper: end(rules.lessThan) }
  const inRange = rangeCheck(timed ? { ...range, show: showNanos } : range)
  if (!timed) return inRange as AnyCheck | undefined
  const compared =
    inRange && (((value: Seconds, found: Violations) => inRange(nanosOf(value), found)) as unknown as AnyCheck)
  return combine([compared, ...nowChecks(rules, clock)].filter((one) => one !== undefined))
}

function nowChecks(rules: RangeRules, clock: Clock): AnyCheck[] {
  const checks: AnyCheck[] = []
  const now = () => BigInt(Math.floor(clock.nowMs())) * 1_000_000n
  if (rules.lessThan?.case === 'ltNow' && rules.lessThan.value === true) {
    checks.push(check((v: Seconds) => nanosOf(v) < now(), 'timestamp.lt_now', 'must be in the past') as AnyCheck)
  }
  if (rules.greaterThan?.case === 'gtNow' && rules.greaterThan.value === true) {
    checks.push(check((v: Seconds) => nanosOf(v) > now(), 'timestamp.gt_now', 'must be in the future') as AnyCheck)
  }
  if (rules.within !== undefined) {
    const width = nanosOf(rules.within)
    const near = (v: Seconds) => {
      const away = nanosOf(v) - now()
      return away <= width && -away <= width
    }
    checks.push(check(near, 'timestamp.within', `must be within ${showNanos(width)} of now`) as AnyCheck)
  }
  return checks
}
