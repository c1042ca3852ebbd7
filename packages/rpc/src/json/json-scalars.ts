import { type DescEnum, ScalarType } from '@bufbuild/protobuf'
import type { DecodeState, Wrong } from './decode-state.ts'

/** Reads one JSON value into what protobuf-es keeps, or records why not. */
export type ReadValue = (json: unknown, state: DecodeState) => unknown | Wrong

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const wholeNumber = /^-?(?:0|[1-9]\d*)$/
const floatMax = 3.4028234663852886e38
const bytesForm = /^[A-Za-z0-9+/]*={0,2}$/
const bytesUrlForm = /^[A-Za-z0-9_-]*={0,2}$/

/** The reader of a scalar type. `longAsString` keeps 64-bit integers as decimal strings. */
export function scalarReader(type: ScalarType, longAsString = false): ReadValue {
  switch (type) {
    case ScalarType.STRING:
      return readString
    case ScalarType.BOOL:
      return (json, state) => (typeof json === 'boolean' ? json : state.fail('json.type', 'true or false', json))
    case ScalarType.BYTES:
      return readBytes
    case ScalarType.DOUBLE:
      return readDouble
    case ScalarType.FLOAT:
      return readFloat
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return (json, state) => readInt32(json, state, [-(2 ** 31), 2 ** 31 - 1])
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return (json, state) => readInt32(json, state, [0, 2 ** 32 - 1])
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64Reader([-(2n ** 63n), 2n ** 63n - 1n], longAsString)
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return int64Reader([0n, 2n ** 64n - 1n], longAsString)
    default:
      return type satisfies never
  }
}

/** The reader of an enum: a name of the contract, or any 32-bit number, since proto3 enums are open. */
export function enumReader(desc: DescEnum): ReadValue {
  const numbers = new Map(desc.values.map((value) => [value.name, value.number]))
  const isNull = desc.typeName === 'google.protobuf.NullValue'
  return (json, state) => {
    if (isNull && json === null) return 0
    if (typeof json === 'number') {
      if ((json | 0) !== json) return state.fail('json.enum', 'a whole number of 32 bits', json)
      return desc.open || desc.value[json] ? json | 0 : state.fail('json.enum', `a number of ${desc.name}`, json)
    }
    const number = typeof json === 'string' ? numbers.get(json) : undefined
    return number ?? state.fail('json.enum', `a name of ${desc.name}`, json)
  }
}

function readString(json: unknown, state: DecodeState): unknown {
  if (typeof json !== 'string') return state.fail('json.type', 'a string', json)
  return json.isWellFormed() ? json : state.fail('json.utf8', 'well-formed Unicode', json)
}

/** Standard or URL-safe base64, with padding or without. */
function readBytes(json: unknown, state: DecodeState): unknown {
  if (typeof json !== 'string') return state.fail('json.type', 'base64 in a string', json)
  const alphabet = bytesForm.test(json) ? 'base64' : bytesUrlForm.test(json) ? 'base64url' : undefined
  if (alphabet === undefined) return state.fail('json.format', 'base64', json)
  try {
    return Uint8Array.fromBase64(json, { alphabet })
  } catch {
    // Only the length or the padding can still be wrong.
    return state.fail('json.format', 'base64', json)
  }
}

function readDouble(json: unknown, state: DecodeState): unknown {
  // JSON.parse makes Infinity of a literal too large, which JSON does not have.
  if (typeof json === 'number') return Number.isFinite(json) ? json : state.fail('json.range', 'a finite number')
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json)
  if (typeof json !== 'string' || !jsonNumber.test(json)) return state.fail('json.type', 'a number', json)
  const value = Number(json)
  return Number.isFinite(value) ? value : state.fail('json.range', 'a number of 64 bits', json)
}

function readFloat(json: unknown, state: DecodeState): unknown {
  const value = readDouble(json, state)
  if (typeof value !== 'number' || !Number.isFinite(value)) return value
  return Math.abs(value) <= floatMax ? Math.fround(value) : state.fail('json.range', 'a number of 32 bits', json)
}

function readInt32(json: unknown, state: DecodeState, [min, max]: readonly [number, number]): unknown {
  const value = typeof json === 'string' && jsonNumber.test(json) ? Number(json) : json
  if (typeof value !== 'number') return state.fail('json.type', 'a whole number', json)
  if (!Number.isInteger(value)) return state.fail('json.type', 'a whole number', json)
  // Adding zero turns -0 into 0.
  return value >= min && value <= max ? value + 0 : state.fail('json.range', `a number from ${min} to ${max}`, json)
}

function int64Reader([min, max]: readonly [bigint, bigint], longAsString: boolean): ReadValue {
  return (json, state) => {
    let value: bigint
    if (typeof json === 'number') {
      if (!Number.isInteger(json)) return state.fail('json.type', 'a whole number', json)
      // Beyond 2^53 the parser has already lost digits; which, nobody can tell.
      if (!Number.isSafeInteger(json)) return state.fail('json.range', 'a number beyond 2^53 as a string', json)
      value = BigInt(json)
    } else if (typeof json === 'string' && json.length <= 20 && wholeNumber.test(json)) {
      value = BigInt(json)
    } else {
      return state.fail('json.type', 'a whole number', json)
    }
    if (value < min || value > max) return state.fail('json.range', `a number from ${min} to ${max}`, json)
    return longAsString ? String(value) : value
  }
}
