import type { Command } from 'commander'
import { addBrowseCommands } from './catalog-browse.ts'
import { addEditCommands } from './catalog-edit.ts'
import type { CommandContext } from './command-context.ts'

/** `plinth catalog`. */
export function addCatalogCommand(program: Command, context: CommandContext): void {
  const catalog = program.command('catalog').description('search, read and edit products')
  addBrowseCommands(catalog, context)
  addEditCommands(catalog, context)
}
