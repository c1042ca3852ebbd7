import { type Address, OrdersService } from '@plinth/orders-service/contract'
import { type Command, InvalidArgumentError } from 'commander'
import type { CommandContext } from './command-context.ts'
import { toPairs } from './globals.ts'
import { answerOrder } from './remote/order.ts'
import { productIdOf } from './remote/product.ts'
import { withRemote } from './remote/remote.ts'

interface PlaceOptions {
  readonly line?: ReadonlyMap<string, string>
  readonly address?: ReadonlyMap<string, string>
  readonly note?: string
  readonly card?: string
}

/** `plinth orders place`. */
export function addPlaceCommand(orders: Command, context: CommandContext): void {
  orders
    .command('place')
    .description('order what is in your cart, or the lines given')
    .option('--line <product=quantity>', 'a product by id or SKU; may be given several times', toLine)
    .option('--address <field=value>', `where to: ${addressFields.join(', ')}; may be given several times`, toPairs)
    .option('--note <text>', 'a word to the shop')
    .option('--card <card>', 'pay at once with this card; see plinth pay --help')
    .addHelpText('after', examples)
    .action((options: PlaceOptions, command: Command) => {
      const shippingAddress = toAddress(options.address, command)
      return withRemote({ command, context }, async (remote) => {
        const lines = []
        for (const [name, quantity] of options.line ?? []) {
          lines.push({ productId: await productIdOf(remote, name), quantity: Number(quantity) })
        }
        const order = await remote.client(OrdersService).placeOrder({
          lines,
          note: options.note ?? '',
          paymentMethod: options.card ?? '',
          ...(shippingAddress && { shippingAddress }),
        })
        answerOrder(remote.terminal, order)
      })
    })
}

const examples = `
Examples:
  plinth orders place                                  what is in the cart
  plinth orders place --line FILM-1000=2 --card card_ok
  plinth orders place --address name=Ada --address line1="12 St James" --address city=London --address country=GB`

const addressFields = ['name', 'line1', 'line2', 'postalCode', 'city', 'country'] as const

/** Makes an address of `field=value` pairs; refuses fields it does not have. */
export function toAddress(
  pairs: ReadonlyMap<string, string> | undefined,
  command: Command,
): Omit<Address, '$typeName' | '$unknown'> | undefined {
  if (pairs === undefined) return undefined
  const unknown = [...pairs.keys()].find((name) => !addressFields.some((field) => field === name))
  if (unknown !== undefined) {
    command.error(`error: an address has no "${unknown}"; it has ${addressFields.join(', ')}`, { exitCode: 2 })
  }
  const text = (field: (typeof addressFields)[number]) => pairs.get(field) ?? ''
  return {
    name: text('name'),
    line1: text('line1'),
    line2: text('line2'),
    postalCode: text('postalCode'),
    city: text('city'),
    country: text('country'),
  }
}

function toLine(text: string, before?: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const lines = toPairs(text.includes('=') ? text : `${text}=1`, before)
  if ([...lines.values()].every((quantity) => /^[1-9]\d{0,3}$/.test(quantity))) return lines
  throw new InvalidArgumentError('Say product=quantity, as FILM-0001=2.')
}
