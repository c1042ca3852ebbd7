import { type Order, OrdersService } from '@plinth/orders-service/contract'
import type { Client } from '@plinth/rpc/client'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { toPairs } from './globals.ts'
import { toAddress } from './orders-place.ts'
import { answerOrder } from './remote/order.ts'
import { withRemote } from './remote/remote.ts'

type Orders = Client<typeof OrdersService>

interface Texts {
  readonly reason?: string
  readonly tracking?: string
}

/** The commands that move orders on. */
export function addHandleCommands(orders: Command, context: CommandContext): void {
  /** One verb on one order. */
  const verb = (
    { name, description }: { readonly name: string; readonly description: string },
    call: (orders: Orders, orderId: string, texts: Texts) => Promise<Order>,
  ) =>
    orders
      .command(name)
      .description(description)
      .argument('<order>', 'its id')
      .action((orderId: string, texts: Texts, command: Command) =>
        withRemote({ command, context }, async ({ client, terminal }) =>
          answerOrder(terminal, await call(client(OrdersService), orderId, texts)),
        ),
      )

  verb({ name: 'cancel', description: 'cancel an order that has not left the house' }, (client, orderId, texts) =>
    client.cancelOrder({ orderId, reason: texts.reason ?? '' }),
  ).option('--reason <text>', 'why')
  verb({ name: 'ship', description: 'note that a paid order is on its way (operators)' }, (client, orderId, texts) =>
    client.shipOrder({ orderId, trackingCode: texts.tracking ?? '' }),
  ).option('--tracking <code>', 'code of the carrier')
  verb({ name: 'deliver', description: 'note that an order has arrived (operators)' }, (client, orderId) =>
    client.deliverOrder({ orderId }),
  )
  verb({ name: 'refund', description: 'give the money back (operators)' }, (client, orderId, texts) =>
    client.refundOrder({ orderId, reason: texts.reason ?? '' }),
  ).option('--reason <text>', 'why')
  addUpdate(orders, context)
}

interface UpdateOptions {
  readonly note?: string
  readonly address?: ReadonlyMap<string, string>
  readonly etag?: string
}

function addUpdate(orders: Command, context: CommandContext): void {
  orders
    .command('update')
    .description('change note or address of an order that has not left the house')
    .argument('<order>', 'its id')
    .option('--note <text>', 'a word to the shop')
    .option('--address <field=value>', 'a new address; may be given several times', toPairs)
    .option('--etag <etag>', 'only if it is still as when it was read')
    .action((orderId: string, options: UpdateOptions, command: Command) => {
      const { note, etag = '' } = options
      const shippingAddress = toAddress(options.address, command)
      const paths = [...(note === undefined ? [] : ['note']), ...(shippingAddress ? ['shipping_address'] : [])]
      if (paths.length === 0) command.error('error: name what changes: --note, --address', { exitCode: 2 })
      return withRemote({ command, context }, async ({ client, terminal }) => {
        const order = { orderId, etag, note: note ?? '', ...(shippingAddress && { shippingAddress }) }
        answerOrder(terminal, await client(OrdersService).updateOrder({ order, updateMask: { paths } }))
      })
    })
}
