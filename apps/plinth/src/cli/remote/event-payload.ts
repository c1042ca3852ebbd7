import {
  clearField,
  createRegistry,
  type DescMessage,
  fromBinary,
  isFieldSet,
  type JsonValue,
  type Message,
  toJson,
} from '@bufbuild/protobuf'
import { ProductChangeSchema } from '@plinth/catalog-service/contract'
import type { Event } from '@plinth/events-service/contract'
import {
  RolesChangedSchema,
  SessionRevokedSchema,
  SessionStartedSchema,
  UserDeletedSchema,
  UserRegisteredSchema,
  UserVerifiedSchema,
} from '@plinth/identity-service/contract'
import { OrderEventSchema } from '@plinth/orders-service/contract'
import { PaymentEventSchema } from '@plinth/payments-service/contract'

const schemas = createRegistry(
  ProductChangeSchema,
  OrderEventSchema,
  PaymentEventSchema,
  UserRegisteredSchema,
  UserVerifiedSchema,
  UserDeletedSchema,
  RolesChangedSchema,
  SessionStartedSchema,
  SessionRevokedSchema,
)

/**
 * What a message says, by the schema its header names; undefined when that is unknown or does not fit. Fields that the
 * contract marks as secret are left out.
 */
export function payloadJson({ headers, payload }: Event): JsonValue | undefined {
  const schema = schemas.getMessage(headers.schema ?? '')
  if (schema === undefined) return undefined
  try {
    const message = fromBinary(schema, payload)
    removeSecrets(schema, message)
    return toJson(schema, message)
  } catch {
    // A newer writer, or rubbish: the bytes are shown as they are.
    return undefined
  }
}

function removeSecrets(schema: DescMessage, message: Message): void {
  for (const field of schema.fields) {
    if (field.proto.options?.debugRedact && isFieldSet(message, field)) clearField(message, field)
  }
}
