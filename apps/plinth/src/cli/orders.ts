import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { addHandleCommands } from './orders-handle.ts'
import { addPlaceCommand } from './orders-place.ts'
import { addReadCommands } from './orders-read.ts'

/** `plinth orders`. */
export function addOrdersCommand(program: Command, context: CommandContext): void {
  const orders = program.command('orders').description('place, follow and handle orders')
  addPlaceCommand(orders, context)
  addReadCommands(orders, context)
  addHandleCommands(orders, context)
}
