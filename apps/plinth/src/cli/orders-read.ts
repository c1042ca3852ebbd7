import { OrderSchema, OrderStatus, OrdersService, TimelineSchema } from '@plinth/orders-service/contract'
import { type Command, Option } from 'commander'
import { moreLine } from './catalog-browse.ts'
import type { CommandContext } from './command-context.ts'
import { toInteger } from './globals.ts'
import { messageJson } from './remote/message.ts'
import { answerOrder, orderColumns, orderLine, orderStatuses } from './remote/order.ts'
import { readPages } from './remote/pages.ts'
import { withRemote } from './remote/remote.ts'
import { clean, time } from './text.ts'

interface ListOptions {
  readonly status?: string
  readonly customer?: string
  readonly limit: number
  readonly pageToken?: string
}

/** The commands that look at orders. */
export function addReadCommands(orders: Command, context: CommandContext): void {
  orders
    .command('list')
    .description('list your orders, newest first; operators see all')
    .addOption(new Option('--status <status>', 'in this state').choices([...orderStatuses.keys()]))
    .option('--customer <id>', 'of this customer (operators)')
    .option('-n, --limit <count>', 'how many at most', toInteger({ min: 1, max: 10_000 }), 20)
    .option('--page-token <token>', 'go on where an earlier list ended')
    .action((options: ListOptions, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        const { status = '', customer: customerId = '' } = options
        const filter = { status: orderStatuses.get(status) ?? OrderStatus.UNSPECIFIED, customerId }
        const page = await readPages(options, async (range) => {
          const answer = await client(OrdersService).listOrders({ ...filter, ...range })
          return { items: answer.orders, nextPageToken: answer.nextPageToken }
        })
        const json = {
          orders: page.items.map((order) => messageJson(OrderSchema, order)),
          nextPageToken: page.nextPageToken,
        }
        terminal.answer(
          json,
          () => [...orderColumns(terminal, page.items), ...moreLine(terminal.style.dim, page.nextPageToken)],
          () => page.items.map(({ orderId }) => orderId),
        )
      }),
    )
  orders
    .command('get')
    .description('show an order')
    .argument('<order>', 'its id')
    .action((orderId: string, _, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) =>
        answerOrder(terminal, await client(OrdersService).getOrder({ orderId })),
      ),
    )
  orders
    .command('watch')
    .description('follow an order as it moves, until it is settled or Ctrl-C')
    .argument('<order>', 'its id')
    .action((orderId: string, _, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        for await (const order of client(OrdersService).watchOrder({ orderId })) {
          terminal.item(messageJson(OrderSchema, order), () => orderLine(terminal, order))
        }
      }),
    )
  orders
    .command('timeline')
    .description('tell everything that happened to an order')
    .argument('<order>', 'its id')
    .action((orderId: string, _, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        const timeline = await client(OrdersService).getTimeline({ orderId })
        terminal.answer(messageJson(TimelineSchema, timeline), () =>
          terminal.columns([
            ['#', 'AT', 'WHAT', 'BY', 'DETAIL'],
            ...timeline.entries.map((entry) => [
              entry.sequence,
              time(entry.at),
              clean(entry.type),
              clean(entry.actor),
              clean(entry.detail),
            ]),
          ]),
        )
      }),
    )
}
