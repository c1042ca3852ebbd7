import type { Command } from 'commander'
import { plinthVersion } from '../plinth-version.ts'
import type { CommandContext } from './command-context.ts'

/** `plinth version`. */
export function addVersionCommand(program: Command, context: CommandContext): void {
  program
    .command('version')
    .description('print the versions of Plinth and of what it runs on')
    .action((_, command: Command) => {
      const version = {
        plinth: plinthVersion(),
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      }
      context.terminal(command.optsWithGlobals()).answer(
        version,
        () => [`plinth ${version.plinth} (Node ${version.node}, ${version.platform})`],
        () => [version.plinth],
      )
    })
}
