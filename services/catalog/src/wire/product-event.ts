import { create, toBinary } from '@bufbuild/protobuf'
import type { NewMessage } from '@plinth/messaging'
import { ProductChangeSchema, productTopic } from '../../contract/index.ts'
import type { FeedEntry } from '../usecases/ports.ts'
import { toProductMessage } from './product-message.ts'

/** Packs one change of a product for the bus. */
export function encodeProductChange(
  change: Omit<FeedEntry, 'sequence'>,
  at: { readonly id: string; readonly nowMs: number },
): NewMessage {
  const message = create(ProductChangeSchema, { type: change.type, product: toProductMessage(change.product) })
  return {
    topic: productTopic,
    key: change.product.productId,
    id: at.id,
    type: change.type,
    headers: { schema: ProductChangeSchema.typeName },
    payload: toBinary(ProductChangeSchema, message),
    timeMs: at.nowMs,
  }
}
