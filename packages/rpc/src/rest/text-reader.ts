import { type DescField, ScalarType } from '@bufbuild/protobuf'
import { isWrapperDesc } from '@bufbuild/protobuf/wkt'
import { enumReader, type ReadValue, scalarReader } from '../json/json-scalars.ts'
import { wellKnownReader } from '../json/well-known-decoders.ts'

/**
 * The reader of one value from a path or a query, where everything is text; undefined for fields that have no form
 * there (maps, messages other than wrappers, times, durations and field masks).
 */
export function textReader(field: DescField): ReadValue | undefined {
  if (field.fieldKind === 'map') return undefined
  if (field.enum) {
    const read = enumReader(field.enum)
    return (text, state) => read(/^-?\d{1,10}$/.test(text as string) ? Number(text) : text, state)
  }
  if (!field.message) return scalarTextReader(field.scalar as ScalarType, field)
  if (field.fieldKind === 'message' && !field.oneof && isWrapperDesc(field.message)) {
    return scalarTextReader((field.message.fields[0] as DescField).scalar as ScalarType, field)
  }
  return textTypes.has(field.message.typeName) ? wellKnownReader(field.message, undefined, noTypes) : undefined
}

const textTypes = new Set(['google.protobuf.Timestamp', 'google.protobuf.Duration', 'google.protobuf.FieldMask'])

function noTypes(): never {
  throw new TypeError('Cannot compile a message type for text')
}

function scalarTextReader(type: ScalarType, field: DescField): ReadValue {
  const read = scalarReader(type, 'longAsString' in field && field.longAsString === true)
  if (type !== ScalarType.BOOL) return read
  return (text, state) => (text === 'true' ? true : text === 'false' ? false : read(text, state))
}
