import type { Command } from 'commander'
import { filmLines } from '../seed/films.ts'
import type { CommandContext } from './command-context.ts'
import { addImportOptions, type ImportOptions, importFile, importProducts } from './import.ts'
import { withRemote } from './remote/remote.ts'

/** `plinth seed`. */
export function addSeedCommand(program: Command, context: CommandContext): void {
  addImportOptions(
    program
      .command('seed')
      .description('load products into the catalogue: 3,201 films, or a file')
      .option('--file <path>', 'products of your own, or - for stdin'),
  )
    .addHelpText('after', examples)
    .action((options: ImportOptions & { readonly file?: string }, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const { file } = options
        const isComplete =
          file === undefined
            ? await importProducts(remote, {
                text: await filmLines(),
                format: 'jsonl',
                dryRun: options.dryRun ?? false,
              })
            : await importFile(remote, { ...options, file, stdin: context.stdin })
        if (!isComplete) context.exit(10)
      }),
    )
}

const examples = `
Examples:
  plinth login --operator && plinth seed
  plinth seed --file products.csv --dry-run

A line of JSONL, and the columns of CSV (attributes as attributes.<name>):
  {"sku":"A-1","title":"Lamp","category":"home","price_minor":1299,"currency":"USD","stock":5,"attributes":{"colour":"red"}}

Products are known by their SKU, so running it again changes only what differs.`
