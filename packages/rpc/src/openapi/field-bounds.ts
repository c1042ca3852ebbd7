import { type DescField, getOption, hasOption, isFieldSet, type Message } from '@bufbuild/protobuf'
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldOption,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'

/** What the contract demands of a value, as names and values of `buf.validate` rules: `minLen`, `lte`, `uuid`. */
export interface FieldBounds {
  readonly required: boolean
  readonly rules: Readonly<Record<string, unknown>>
  /** Of list items and map values. */
  readonly items: Readonly<Record<string, unknown>>
}

const ruleSchemas = new Map(
  FieldRulesSchema.fields.flatMap((field) =>
    field.message ? [[field.message.typeName, field.message.fields] as const] : [],
  ),
)
const none: FieldBounds = { required: false, rules: {}, items: {} }

/** The rules of a field, empty where the contract says nothing. */
export function boundsOf(field: DescField): FieldBounds {
  if (!hasOption(field, fieldOption)) return none
  const rules = getOption(field, fieldOption)
  const whole = plain(rules)
  const inner = (whole.items ?? whole.values) as FieldRules | undefined
  return { required: rules.required, rules: whole, items: inner ? plain(inner) : {} }
}

/** The members of whichever kind of rules is set, and of those only what is set. */
function plain(rules: FieldRules): Readonly<Record<string, unknown>> {
  const kind = rules.type.value as (Message & Record<string, unknown>) | undefined
  if (!kind) return {}
  const schema = ruleSchemas.get(kind.$typeName)
  const found: Record<string, unknown> = {}
  for (const field of schema ?? []) {
    if (!isFieldSet(kind, field)) continue
    const value = field.oneof ? (kind[field.oneof.localName] as { value?: unknown }).value : kind[field.localName]
    found[field.localName] = value
  }
  return found
}
