import { type DescField, type DescMessage, type Message, ScalarType, toBinary } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'

/**
 * Compiles the question "does this message take at most `bytesMax` bytes on the wire". A cheap upper bound answers it
 * for nearly all messages; only one whose bound is above the limit is encoded to know for sure.
 *
 * Like the copy, the bound is code made from descriptors alone.
 */
export function compileSizeCheck(desc: DescMessage, bytesMax: number): (message: Message) => boolean {
  const bound = compileBound(desc)
  return (message) => bound(message) <= bytesMax || toBinary(desc, message).byteLength <= bytesMax
}

type Bound = (message: Message) => number

const compiled = new WeakMap<DescMessage, Bound>()

/** Tag and length, or tag and the longest number. */
const perValue = 16

function compileBound(desc: DescMessage): Bound {
  const known = compiled.get(desc)
  if (known) return known
  let bound: Bound | undefined
  // Set before the body is built: a message may contain itself.
  compiled.set(desc, (message) => (bound as Bound)(message))
  const inner: Bound[] = []
  let fixed = perValue
  const parts: string[] = []
  for (const member of desc.members) {
    const source = `m[${JSON.stringify(member.localName)}]`
    if (member.kind === 'oneof') {
      const cases = member.fields.map(
        (f) => `c.case === ${JSON.stringify(f.localName)} ? ${value(f, 'c.value', inner)}`,
      )
      parts.push(`c = ${source}; n += ${cases.join(' : ')} : 0;`)
    } else if (member.fieldKind === 'list') {
      const each = isNumeric(member) ? `${perValue} * ${source}.length` : undefined
      parts.push(each ? `n += ${each};` : `for (const v of ${source}) n += ${value(member, 'v', inner)};`)
    } else if (member.fieldKind === 'map') {
      const entry = `${2 * perValue} + 3 * k.length + ${value(member, `${source}[k]`, inner)}`
      parts.push(`for (const k in ${source}) n += ${entry};`)
    } else if (isNumeric(member)) {
      fixed += perValue
    } else {
      fixed += perValue
      parts.push(`if (${source} !== undefined) n += ${value(member, source, inner)};`)
    }
  }
  const body = `
    const json = (v) => ${8 * perValue} + ${jsonFactor} * JSON.stringify(v).length;
    ${inner.map((_, i) => `const bound${i} = inner[${i}];`).join(' ')}
    return function (m) {
      let n = ${fixed}, c;
      ${parts.join('\n')}
      if (m.$unknown !== undefined) for (const u of m.$unknown) n += ${perValue} + u.data.byteLength;
      return n;
    }`
  bound = new Function('inner', body)(inner) as Bound
  compiled.set(desc, bound)
  return bound
}

/** Every JSON value is a message inside a message, every key a string of up to three bytes a character. */
const jsonFactor = 12

function isNumeric(field: DescField): boolean {
  if (field.enum) return true
  return !field.message && field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES
}

/** The expression that bounds one value: of a singular field, a list item or a map value. */
function value(field: DescField, source: string, inner: Bound[]): string {
  if (isNumeric(field)) return String(perValue)
  if (!field.message) return scalar(field, source)
  // A wrapper stands as its bare value, a Struct as plain JSON.
  if (isWrapperDesc(field.message) && field.fieldKind === 'message' && !field.oneof) {
    const bare = field.message.fields[0] as DescField
    return isNumeric(bare) ? String(2 * perValue) : scalar(bare, source)
  }
  if (field.message.typeName === 'google.protobuf.Struct' && field.parent.typeName !== 'google.protobuf.Value') {
    return `json(${source})`
  }
  return `bound${inner.push(compileBound(field.message)) - 1}(${source})`
}

function scalar(field: DescField, source: string): string {
  const length = field.scalar === ScalarType.BYTES ? `${source}.byteLength` : `3 * ${source}.length`
  return `${2 * perValue} + ${length}`
}
