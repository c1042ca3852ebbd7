import { type DescMessage, type MessageShape, toJson } from '@bufbuild/protobuf'

/** A message as proto3 JSON with every field, as REST answers it. */
export function messageJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): unknown {
  return toJson(schema, message, { alwaysEmitImplicit: true })
}
