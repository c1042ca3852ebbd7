import { clone, create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'

/** Makes a message of its own from a message or an init literal; nothing in the result is shared with the source. */
export type CopyMessage = (source: unknown) => Message

const compiled = new WeakMap<DescMessage, CopyMessage>()
const proto3 = 999

/**
 * Compiles the deep copy of one message type from its descriptor. Values are checked on the way as the wire format
 * would check them (an int32 is a whole number of 32 bits, a float is rounded to 32 bits), so that a message that was
 * copied can be encoded.
 *
 * The code is built from descriptors alone; no value of a message ever becomes part of it.
 *
 * @throws TypeError from the copy when a value does not fit its field: the caller passed what its types forbid.
 */
export function compileCopy(desc: DescMessage): CopyMessage {
  const known = compiled.get(desc)
  if (known) return known
  // Messages with explicit defaults track presence by their prototype, which literals do not have.
  if (desc.file.edition !== proto3) {
    const copy: CopyMessage = (source) => clone(desc, create(desc, source as never)) as Message
    compiled.set(desc, copy)
    return copy
  }
  let copy: CopyMessage | undefined
  // Set before the body is built: a message may contain itself.
  const late: CopyMessage = (source) => (copy as CopyMessage)(source)
  compiled.set(desc, late)
  const parts = new CopyWriter(desc)
  copy = parts.build()
  compiled.set(desc, copy)
  return copy
}

class CopyWriter {
  readonly #desc: DescMessage
  readonly #copies: CopyMessage[] = []

  constructor(desc: DescMessage) {
    this.#desc = desc
  }

  build(): CopyMessage {
    const members: string[] = [`$typeName: ${text(this.#desc.typeName)}`]
    const optional: string[] = []
    for (const member of this.#desc.members) {
      const source = `s[${text(member.localName)}]`
      const key = text(member.localName)
      if (member.kind === 'oneof') {
        const cases = member.fields.map(
          (f) => `case ${text(f.localName)}: return { case: c, value: ${this.#single(f, 'o.value')} };`,
        )
        const pick = `function (o) { const c = o.case; switch (c) { ${cases.join(' ')} case undefined: case null: return { case: undefined }; } return tools.bad(${text(`${this.#desc.typeName}.${member.name}`)}, 'a known case', c); }`
        members.push(`${key}: ${source} == null ? { case: undefined } : (${pick})(${source})`)
      } else if (member.fieldKind === 'list') {
        members.push(
          `${key}: ${source} == null ? [] : list(${source}, v => ${this.#single(member, 'v')}, ${name(member)})`,
        )
      } else if (member.fieldKind === 'map') {
        const numeric = member.mapKey !== ScalarType.STRING && member.mapKey !== ScalarType.BOOL
        members.push(
          `${key}: ${source} == null ? {} : map(${source}, v => ${this.#single(member, 'v')}, ${name(member)}, ${numeric})`,
        )
      } else if (member.fieldKind === 'message' || member.presence !== implicit) {
        optional.push(`if (${source} != null) t[${key}] = ${this.#single(member, source)};`)
      } else {
        members.push(`${key}: ${source} == null ? ${zero(member)} : ${this.#single(member, source)}`)
      }
    }
    const body = `
      const { str, i32, u32, i64, u64, i64s, u64s, f32, f64, bool, bytes, json, list, map } = tools;
      ${this.#copies.map((_, i) => `const copy${i} = copies[${i}];`).join(' ')}
      return function (s) {
        if (typeof s !== 'object' || s === null || (s.$typeName !== undefined && s.$typeName !== ${text(this.#desc.typeName)}))
          tools.bad(${text(this.#desc.typeName)}, 'a message of this type', s);
        const t = { ${members.join(', ')} };
        ${optional.join('\n')}
        if (s.$unknown !== undefined) t.$unknown = s.$unknown.slice();
        return t;
      }`
    return new Function('tools', 'copies', body)(tools, this.#copies) as CopyMessage
  }

  /** The expression that copies one value: of a singular field, a list item or a map value. */
  #single(field: DescField, value: string): string {
    const message = field.message
    if (message) {
      const singular = field.fieldKind === 'message' && field.oneof === undefined
      if (singular && isWrapperDesc(message)) return scalar(message.fields[0] as DescField, value, name(field))
      if (message.typeName === 'google.protobuf.Struct' && field.parent.typeName !== 'google.protobuf.Value') {
        return `json(${value}, ${name(field)})`
      }
      return `copy${this.#copies.push(compileCopy(message)) - 1}(${value})`
    }
    return scalar(field, value, name(field))
  }
}

const implicit = 2

function text(value: string): string {
  return JSON.stringify(value)
}

function name(field: DescField): string {
  return text(`${field.parent.typeName}.${field.name}`)
}

function scalar(field: DescField, value: string, label: string): string {
  if (field.enum) return `i32(${value}, ${label})`
  const asString = 'longAsString' in field && field.longAsString === true ? 's' : ''
  switch (field.scalar as ScalarType) {
    case ScalarType.STRING:
      return `str(${value}, ${label})`
    case ScalarType.BOOL:
      return `bool(${value}, ${label})`
    case ScalarType.BYTES:
      return `bytes(${value}, ${label})`
    case ScalarType.FLOAT:
      return `f32(${value}, ${label})`
    case ScalarType.DOUBLE:
      return `f64(${value}, ${label})`
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return `i32(${value}, ${label})`
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return `u32(${value}, ${label})`
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return `i64${asString}(${value}, ${label})`
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return `u64${asString}(${value}, ${label})`
    default:
      throw new TypeError(`Cannot compile ${label}: its scalar type ${field.scalar} is unknown`)
  }
}

function zero(field: DescField): string {
  if (field.enum) return '0'
  switch (field.scalar) {
    case ScalarType.STRING:
      return '""'
    case ScalarType.BOOL:
      return 'false'
    case ScalarType.BYTES:
      return 'new Uint8Array(0)'
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return 'longAsString' in field && field.longAsString === true ? '"0"' : '0n'
    default:
      return '0'
  }
}

const floatMax = 3.4028234663852886e38
const wholeNumber = /^-?(0|[1-9]\d*)$/

/** What the compiled code calls. Small enough for the engine to inline. */
const tools = {
  bad(field: string, expected: string, value: unknown): never {
    throw new TypeError(`Cannot take ${field}: expected ${expected}, received ${describe(value)}`)
  },
  str: (v: unknown, f: string) => (typeof v === 'string' ? v : tools.bad(f, 'a string', v)),
  bool: (v: unknown, f: string) => (typeof v === 'boolean' ? v : tools.bad(f, 'a boolean', v)),
  i32: (v: number, f: string) => ((v | 0) === v ? v | 0 : tools.bad(f, 'a whole number of 32 bits', v)),
  u32: (v: number, f: string) => (v >>> 0 === v ? v >>> 0 : tools.bad(f, 'a whole number >= 0 of 32 bits', v)),
  i64: (v: unknown, f: string) =>
    typeof v === 'bigint' && BigInt.asIntN(64, v) === v ? v : tools.bad(f, 'a bigint of 64 bits', v),
  u64: (v: unknown, f: string) =>
    typeof v === 'bigint' && BigInt.asUintN(64, v) === v ? v : tools.bad(f, 'a bigint >= 0 of 64 bits', v),
  i64s: (v: unknown, f: string) => {
    if (typeof v !== 'string' || !wholeNumber.test(v)) return tools.bad(f, 'a whole number as a string', v)
    return String(tools.i64(BigInt(v), f))
  },
  u64s: (v: unknown, f: string) => {
    if (typeof v !== 'string' || !wholeNumber.test(v)) return tools.bad(f, 'a whole number as a string', v)
    return String(tools.u64(BigInt(v), f))
  },
  f32: (v: unknown, f: string) => {
    if (typeof v !== 'number' || (Math.abs(v) > floatMax && Number.isFinite(v))) return tools.bad(f, 'a float', v)
    return Math.fround(v)
  },
  f64: (v: unknown, f: string) => (typeof v === 'number' ? v : tools.bad(f, 'a number', v)),
  // The constructor copies; slice() of a Buffer would share its memory.
  bytes: (v: unknown, f: string) => (v instanceof Uint8Array ? new Uint8Array(v) : tools.bad(f, 'bytes', v)),
  json: (v: unknown, f: string) => copyJson(v, f),
  list<T>(v: unknown, copy: (item: T) => unknown, f: string): unknown[] {
    if (!Array.isArray(v)) return tools.bad(f, 'an array', v)
    const result = new Array(v.length)
    for (let i = 0; i < v.length; i++) result[i] = copy(v[i])
    return result
  },
  map<T>(v: Record<string, T>, copy: (item: T) => unknown, f: string, numeric: boolean): Record<string, unknown> {
    if (typeof v !== 'object' || v === null) return tools.bad(f, 'an object', v)
    const result: Record<string, unknown> = {}
    for (const key of Object.keys(v)) {
      if (numeric && !wholeNumber.test(key)) tools.bad(f, 'whole numbers as keys', key)
      setOwn(result, key, copy(v[key] as T))
    }
    return result
  },
}

function copyJson(value: unknown, field: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return value
  if (Array.isArray(value)) return value.map((item) => copyJson(item, field))
  if (typeof value !== 'object') return tools.bad(field, 'a JSON value', value)
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    setOwn(result, key, copyJson((value as Record<string, unknown>)[key], field))
  }
  return result
}

/** An assignment to `__proto__` would change the prototype instead of adding a key. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[key] = value
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length}`
  if (typeof value === 'object' && value !== null) {
    return '$typeName' in value ? String(value.$typeName) : `an object of class ${value.constructor?.name ?? 'null'}`
  }
  return `${String(value)} (${typeof value})`
}
