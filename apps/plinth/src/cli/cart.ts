import { CatalogService } from '@plinth/catalog-service/contract'
import { type Cart, CartSchema, OrdersService } from '@plinth/orders-service/contract'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { toInteger } from './globals.ts'
import { messageJson } from './remote/message.ts'
import { productIdOf } from './remote/product.ts'
import { type Remote, withRemote } from './remote/remote.ts'
import { clean, money } from './text.ts'

/** `plinth cart`. */
export function addCartCommand(program: Command, context: CommandContext): void {
  const cart = program.command('cart').description('show and fill your cart')
  cart
    .command('show')
    .description('show what is in it')
    .action((_, command: Command) =>
      withRemote({ command, context }, async (remote) => answerCart(remote, await orders(remote).getCart({}))),
    )
  cart
    .command('set')
    .description('put a product in, or change how many')
    .argument('<product>', 'its id or SKU')
    .argument('[quantity]', 'how many; 0 takes it out', toInteger({ min: 0, max: 1000 }), 1)
    .action((name: string, quantity: number, _, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const productId = await productIdOf(remote, name)
        await answerCart(remote, await orders(remote).setCartLine({ productId, quantity }))
      }),
    )
  cart
    .command('clear')
    .description('take everything out')
    .action((_, command: Command) =>
      withRemote({ command, context }, async (remote) => answerCart(remote, await orders(remote).clearCart({}))),
    )
}

function orders({ client }: Remote) {
  return client(OrdersService)
}

async function answerCart(remote: Remote, cart: Cart): Promise<void> {
  const { terminal, client } = remote
  const productIds = cart.lines.map(({ productId }) => productId)
  const known =
    terminal.json || productIds.length === 0
      ? []
      : (await client(CatalogService).batchGetProducts({ productIds })).products
  const products = new Map(known.map((product) => [product.productId, product]))
  terminal.answer(
    messageJson(CartSchema, cart),
    () =>
      cart.lines.length === 0
        ? ['The cart is empty.']
        : terminal.columns([
            ['QUANTITY', 'EACH', 'SKU', 'TITLE'],
            ...cart.lines.map(({ productId, quantity }) => {
              const product = products.get(productId)
              return [
                quantity,
                money(product?.price),
                clean(product?.sku ?? productId),
                clean(product?.title ?? '(gone)'),
              ]
            }),
          ]),
    () => cart.lines.map(({ productId, quantity }) => `${productId}=${quantity}`),
  )
}
