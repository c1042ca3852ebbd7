import { type DescField, type DescMessage, type Message, ScalarType, toBinary } from '@bufbuild/protobuf'

/**
 * Compiles the question "does this message take at most `bytesMax` bytes on the wire". A cheap upper bound answers it
 * for nearly all messages; only one whose bound is above the limit is encoded to know for sure.
 */
export function compileSizeCheck(desc: DescMessage, bytesMax: number): (message: Message) => boolean {
  const bound = compileBound(desc, new Map())
  return (message) => bound(message as Fields) <= bytesMax || toBinary(desc, message).byteLength <= bytesMax
}

type Fields = Readonly<Record<string, unknown>>
type Bound = (message: Fields) => number

/** Tag and length, or tag and the longest number. */
const perValue = 16

function compileBound(desc: DescMessage, known: Map<DescMessage, Bound>): Bound {
  const found = known.get(desc)
  if (found) return found
  const parts: Bound[] = []
  let fixed = perValue
  const bound: Bound = (message) => {
    let bytes = fixed
    for (let i = 0; i < parts.length; i++) bytes += (parts[i] as Bound)(message)
    const unknown = message.$unknown
    if (Array.isArray(unknown)) for (const field of unknown) bytes += perValue + field.data.byteLength
    return bytes
  }
  known.set(desc, bound)
  for (const member of desc.members) {
    if (member.kind === 'oneof') {
      const values = new Map(member.fields.map((field) => [field.localName, valueBound(field, known)]))
      const name = member.localName
      parts.push((message) => {
        const chosen = message[name] as { case?: string; value?: unknown }
        return chosen.case === undefined ? 0 : (values.get(chosen.case)?.(chosen.value) ?? 0)
      })
    } else if (isFixed(member)) {
      fixed += perValue
    } else {
      parts.push(fieldBound(member, known))
    }
  }
  return bound
}

function isFixed(field: DescField): boolean {
  if (field.fieldKind === 'enum') return true
  return field.fieldKind === 'scalar' && field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES
}

function fieldBound(field: DescField, known: Map<DescMessage, Bound>): Bound {
  const name = field.localName
  const value = valueBound(field, known)
  if (field.fieldKind === 'list') {
    return (message) => {
      let bytes = perValue
      for (const item of message[name] as unknown[]) bytes += value(item)
      return bytes
    }
  }
  if (field.fieldKind === 'map') {
    return (message) => {
      let bytes = 0
      const map = message[name] as Record<string, unknown>
      for (const key in map) bytes += 2 * perValue + 3 * key.length + value(map[key])
      return bytes
    }
  }
  return (message) => (message[name] === undefined ? 0 : value(message[name]))
}

function valueBound(field: DescField, known: Map<DescMessage, Bound>): (value: unknown) => number {
  if (field.message) {
    const inner = compileBound(field.message, known)
    const struct = field.message.typeName === 'google.protobuf.Struct'
    // A wrapper may stand as its bare value, a Struct as plain JSON.
    return (value) => {
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return bareBound(value)
      return struct && !('$typeName' in value) ? jsonBound(value) : perValue + inner(value as Fields)
    }
  }
  return bareBound
}

function bareBound(value: unknown): number {
  if (typeof value === 'string') return perValue + 3 * value.length
  return value instanceof Uint8Array ? perValue + value.byteLength : perValue
}

function jsonBound(value: unknown): number {
  // Every value is a message inside a message, every key a string of up to three bytes a character.
  return 8 * perValue + 12 * JSON.stringify(value).length
}
