import type { DescEnum } from '@bufbuild/protobuf'
import {
  isAddress,
  isEmail,
  isHostname,
  isIp,
  isIpV4,
  isIpV6,
  isTrimmedUuid,
  isUri,
  isUriReference,
  isUuidText,
} from './formats.ts'
import { compilePattern } from './pattern.ts'
import type { Violations } from './violations.ts'

type Value<T> = (value: T, found: Violations) => void
/** Makes the check of one rule from the rule's value; undefined when that value asks for nothing (`email = false`). */
type RuleTable<T> = Readonly<Record<string, (rule: never, id: string) => Value<T> | undefined>>

function points(text: string): number {
  let count = text.length
  // Two halves of a pair are one character; most strings have none.
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--
  }
  return count
}

function must<T>(holds: (value: T) => boolean, id: string, message: string): Value<T> {
  return (value, found) => {
    if (!holds(value)) found.add(id, message)
  }
}

function listed(values: readonly unknown[]): string {
  const shown = values.slice(0, 10).map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)))
  return values.length > 10 ? `${shown.join(', ')}, …` : shown.join(', ')
}

function format(holds: (text: string) => boolean, what: string, emptyIsOwnRule = true) {
  return (rule: boolean, id: string): Value<string> | undefined =>
    rule
      ? (text, found) => {
          if (text === '' && emptyIsOwnRule) found.add(`${id}_empty`, `is empty, expected ${what}`)
          else if (!holds(text)) found.add(id, `is not ${what}`)
        }
      : undefined
}

function membership<T>(): RuleTable<T> {
  return {
    const: (rule: T, id) => must((v) => v === rule, id, `must equal ${listed([rule])}`),
    in: (rule: readonly T[], id) => {
      const set = new Set(rule)
      return set.size === 0 ? undefined : must((v) => set.has(v), id, `must be one of ${listed(rule)}`)
    },
    notIn: (rule: readonly T[], id) => {
      const set = new Set(rule)
      return must((v) => !set.has(v), id, `must not be one of ${listed(rule)}`)
    },
  }
}

const utf8 = (text: string) => Buffer.byteLength(text)

export const stringRules: RuleTable<string> = {
  ...membership<string>(),
  len: (rule: bigint, id) => must((v) => points(v) === Number(rule), id, `must have ${rule} characters`),
  minLen: (rule: bigint, id) =>
    must((v) => v.length >= Number(rule) && points(v) >= Number(rule), id, `must have at least ${rule} characters`),
  maxLen: (rule: bigint, id) =>
    must((v) => v.length <= Number(rule) || points(v) <= Number(rule), id, `must have at most ${rule} characters`),
  lenBytes: (rule: bigint, id) => must((v) => utf8(v) === Number(rule), id, `must have ${rule} bytes in UTF-8`),
  minBytes: (rule: bigint, id) => must((v) => utf8(v) >= Number(rule), id, `must have at least ${rule} bytes in UTF-8`),
  maxBytes: (rule: bigint, id) => must((v) => utf8(v) <= Number(rule), id, `must have at most ${rule} bytes in UTF-8`),
  pattern: (rule: string, id) => {
    const pattern = compilePattern(rule)
    return must((v) => pattern.test(v), id, `must match ${rule}`)
  },
  prefix: (rule: string, id) => must((v) => v.startsWith(rule), id, `must start with ${listed([rule])}`),
  suffix: (rule: string, id) => must((v) => v.endsWith(rule), id, `must end with ${listed([rule])}`),
  contains: (rule: string, id) => must((v) => v.includes(rule), id, `must contain ${listed([rule])}`),
  notContains: (rule: string, id) => must((v) => !v.includes(rule), id, `must not contain ${listed([rule])}`),
  email: format(isEmail, 'an email address'),
  hostname: format(isHostname, 'a host name'),
  ip: format(isIp, 'an IP address'),
  ipv4: format(isIpV4, 'an IPv4 address'),
  ipv6: format(isIpV6, 'an IPv6 address'),
  uri: format(isUri, 'a URI'),
  uriRef: format(isUriReference, 'a URI reference', false),
  address: format(isAddress, 'a host name or IP address'),
  uuid: format(isUuidText, 'a UUID'),
  tuuid: format(isTrimmedUuid, 'a UUID without hyphens'),
}

function sized(sizes: readonly number[], what: string) {
  return (rule: boolean, id: string): Value<Uint8Array> | undefined =>
    rule
      ? (bytes, found) => {
          if (bytes.byteLength === 0) found.add(`${id}_empty`, `is empty, expected ${what}`)
          else if (!sizes.includes(bytes.byteLength)) found.add(id, `is not ${what}`)
        }
      : undefined
}

const buffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const hex = (bytes: Uint8Array) => buffer(bytes).toString('hex')

export const bytesRules: RuleTable<Uint8Array> = {
  const: (rule: Uint8Array, id) => must((v) => buffer(v).equals(rule), id, `must equal ${hex(rule)} (hex)`),
  len: (rule: bigint, id) => must((v) => v.byteLength === Number(rule), id, `must have ${rule} bytes`),
  minLen: (rule: bigint, id) => must((v) => v.byteLength >= Number(rule), id, `must have at least ${rule} bytes`),
  maxLen: (rule: bigint, id) => must((v) => v.byteLength <= Number(rule), id, `must have at most ${rule} bytes`),
  pattern: (rule: string, id) => {
    const pattern = compilePattern(rule)
    return must((v) => pattern.test(buffer(v).toString()), id, `must match ${rule}`)
  },
  prefix: (rule: Uint8Array, id) =>
    must((v) => buffer(v.subarray(0, rule.byteLength)).equals(rule), id, `must start with ${hex(rule)} (hex)`),
  suffix: (rule: Uint8Array, id) =>
    must(
      (v) => v.byteLength >= rule.byteLength && buffer(v.subarray(v.byteLength - rule.byteLength)).equals(rule),
      id,
      `must end with ${hex(rule)} (hex)`,
    ),
  contains: (rule: Uint8Array, id) => must((v) => buffer(v).includes(rule), id, `must contain ${hex(rule)} (hex)`),
  in: (rule: readonly Uint8Array[], id) => {
    const set = new Set(rule.map(hex))
    return must((v) => set.has(hex(v)), id, `must be one of ${listed([...set])} (hex)`)
  },
  notIn: (rule: readonly Uint8Array[], id) => {
    const set = new Set(rule.map(hex))
    return must((v) => !set.has(hex(v)), id, `must not be one of ${listed([...set])} (hex)`)
  },
  ip: sized([4, 16], 'an IP address'),
  ipv4: sized([4], 'an IPv4 address'),
  ipv6: sized([16], 'an IPv6 address'),
}

/** All but ranges, which combine several rules into one: see {@link rangeCheck}. */
export const numberRules: RuleTable<number | bigint> = {
  ...membership<number | bigint>(),
  finite: (rule: boolean, id) => (rule ? must((v) => Number.isFinite(v), id, 'must be finite') : undefined),
}

export const boolRules: RuleTable<boolean> = { const: membership<boolean>().const as never }

export function enumRules(desc: DescEnum): RuleTable<number> {
  return {
    ...membership<number>(),
    definedOnly: (rule: boolean, id) => {
      const known = new Set(desc.values.map((value) => value.number))
      return rule ? must((v) => known.has(v), id, 'is no known value') : undefined
    },
  }
}

/** A lower and an upper bound of any ordered values. With the lower above the upper, what lies between is refused. */
export interface Range<T> {
  readonly kind: string
  readonly lower?: { readonly rule: string; readonly bound: T } | undefined
  readonly upper?: { readonly rule: string; readonly bound: T } | undefined
  readonly show?: (bound: T) => string
}

const words = new Map([
  ['gt', 'greater than'],
  ['gte', 'at least'],
  ['lt', 'less than'],
  ['lte', 'at most'],
])

/** The rules `gt`, `gte`, `lt`, `lte` and their pairs. NaN is in no range. */
export function rangeCheck<T extends number | bigint>(range: Range<T>): Value<T> | undefined {
  const { kind, lower, upper } = range
  const show = range.show ?? String
  const above = (v: T) => lower === undefined || (lower.rule === 'gt' ? v > lower.bound : v >= lower.bound)
  const below = (v: T) => upper === undefined || (upper.rule === 'lt' ? v < upper.bound : v <= upper.bound)
  const texts = [lower, upper]
    .filter((end) => end !== undefined)
    .map((end) => `${words.get(end.rule)} ${show(end.bound)}`)
  if (!lower || !upper) {
    const end = lower ?? upper
    return end && must((v) => above(v) && below(v), `${kind}.${end.rule}`, `must be ${texts.join('')}`)
  }
  const id = `${kind}.${lower.rule}_${upper.rule}`
  if (upper.bound >= lower.bound) return must((v) => above(v) && below(v), id, `must be ${texts.join(' and ')}`)
  return must((v) => above(v) || below(v), `${id}_exclusive`, `must be ${texts.join(' or ')}`)
}
