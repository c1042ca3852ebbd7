import { PlatformError } from '@plinth/base'
import { type Order, OrderStatus, OrdersService } from '@plinth/orders-service/contract'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { answerOrder, orderLine, statusName } from './remote/order.ts'
import { type Remote, withRemote } from './remote/remote.ts'
import { clean } from './text.ts'

interface PayOptions {
  readonly card: string
  readonly wait?: boolean
}

/** `plinth pay`. */
export function addPayCommand(program: Command, context: CommandContext): void {
  program
    .command('pay')
    .description('pay an order with a test card')
    .argument('<order>', 'its id')
    .option('--card <card>', 'the card', 'card_ok')
    .option('--wait', 'until the payment is decided; a refused one is a failure of the command')
    .addHelpText('after', cards)
    .action((orderId: string, options: PayOptions, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const order = await remote.client(OrdersService).payOrder({ orderId, paymentMethod: options.card })
        const last = options.wait ? await waitForPayment(remote, order) : order
        answerOrder(remote.terminal, last)
      }),
    )
}

const cards = `
Cards of the payment simulator:
  card_ok                  is approved
  card_declined            is declined
  card_insufficient_funds  is declined
  card_slow                is approved after two seconds
  card_answer_lost         is approved, but the answer never arrives; reconciliation finds out
  card_request_lost        loses half of the requests
  card_flaky               loses every fifth request and every fifth answer

Examples:
  plinth pay 0199… --wait
  plinth pay 0199… --card card_declined --wait; echo $?     prints 16`

/** Follows the order until its payment is decided. */
async function waitForPayment({ client, terminal }: Remote, started: Order): Promise<Order> {
  let last = started
  for await (const order of client(OrdersService).watchOrder({ orderId: started.orderId })) {
    last = order
    terminal.progress(orderLine(terminal, order))
    if (order.status !== OrderStatus.PAYING) break
  }
  terminal.done()
  if (last.status === OrderStatus.PAID) return last
  const why = last.paymentFailure === '' ? `the order is ${statusName(last.status)}` : clean(last.paymentFailure)
  throw new PlatformError(`The payment did not succeed: ${why}`, {
    kind: 'precondition',
    code: 'plinth.payment_failed',
    details: { order_id: last.orderId, status: statusName(last.status), failure: last.paymentFailure },
  })
}
