import type { OrderRefusal } from '../domain/refusals.ts'
import type { CartLine, OrderStore } from './ports.ts'

/** As many lines as one order takes. */
const cartLinesMax = 100

/** The cart of one customer: read it, set a line (0 takes it out), empty it. */
export function createCart(deps: { readonly store: OrderStore }) {
  return {
    read: (customerId: string): Promise<readonly CartLine[]> => deps.store.cart(customerId),
    setLine: (customerId: string, line: CartLine): Promise<readonly CartLine[] | OrderRefusal> =>
      deps.store.unit(async (unit) => {
        const lines = await unit.cart(customerId)
        const isNew = !lines.some((known) => known.productId === line.productId)
        if (line.quantity > 0 && isNew && lines.length >= cartLinesMax) {
          return { refused: 'cart_full', linesMax: cartLinesMax }
        }
        await unit.setCartLine(customerId, line)
        return await unit.cart(customerId)
      }),
    clear: (customerId: string): Promise<void> => deps.store.unit((unit) => unit.clearCart(customerId)),
  }
}
