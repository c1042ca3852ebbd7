import { CatalogService, type Product, ProductSchema } from '@plinth/catalog-service/contract'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { toPairs } from './globals.ts'
import { addImportOptions, type ImportOptions, importFile } from './import.ts'
import { confirm } from './remote/confirm.ts'
import { messageJson } from './remote/message.ts'
import { productIdOf, productLines } from './remote/product.ts'
import { type Remote, withRemote } from './remote/remote.ts'
import { clean, parseMoney } from './text.ts'

interface ProductOptions {
  readonly sku?: string
  readonly title?: string
  readonly description?: string
  readonly category?: string
  readonly price?: string
  readonly currency?: string
  readonly attribute?: ReadonlyMap<string, string>
  readonly etag?: string
}

/** The commands that change the catalogue; all take an operator. */
export function addEditCommands(catalog: Command, context: CommandContext): void {
  addCreate(catalog, context)
  addUpdate(catalog, context)
  catalog
    .command('delete')
    .description('take a product out of the catalogue')
    .argument('<product>', 'its id or SKU')
    .option('-y, --yes', 'without asking')
    .action((name: string, options: { yes?: boolean }, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const productId = await productIdOf(remote, name)
        await confirm(context, { question: `Delete ${clean(name)}?`, yes: options.yes })
        await remote.client(CatalogService).deleteProduct({ productId })
        remote.terminal.answer({ productId, deleted: true }, () => [`Product ${clean(name)} is deleted.`])
      }),
    )
  addImportOptions(
    catalog
      .command('import')
      .description('load products from a JSONL or CSV file; mistakes are listed by line')
      .argument('<file>', 'path, or - for stdin'),
  ).action((file: string, options: ImportOptions, command: Command) =>
    withRemote({ command, context }, async (remote) => {
      const isComplete = await importFile(remote, { ...options, file, stdin: context.stdin })
      if (!isComplete) context.exit(10)
    }),
  )
}

function addCreate(catalog: Command, context: CommandContext): void {
  productOptions(
    catalog
      .command('create')
      .description('add a product')
      .requiredOption('--sku <sku>', 'letters, digits, dots and dashes')
      .requiredOption('--title <text>', 'what it is called')
      .requiredOption('--category <name>', 'lower case and dashes')
      .requiredOption('--price <amount>', 'as 12.99'),
  ).action((options: ProductOptions, command: Command) => {
    const price = priceOf(options, { command, currency: options.currency ?? 'USD' })
    return withRemote({ command, context }, async (remote) => {
      const { sku, title, description, category, attribute = new Map() } = options
      const product = { sku, title, description, category, price, attributes: Object.fromEntries(attribute) }
      answerProduct(remote, await remote.client(CatalogService).createProduct({ product: defined(product) }))
    })
  })
}

function addUpdate(catalog: Command, context: CommandContext): void {
  productOptions(
    catalog
      .command('update')
      .description('change what is named of a product')
      .argument('<product>', 'its id or SKU')
      .option('--sku <sku>', 'letters, digits, dots and dashes')
      .option('--title <text>', 'what it is called')
      .option('--category <name>', 'lower case and dashes')
      .option('--price <amount>', 'as 12.99')
      .option('--etag <etag>', 'only if it is still as when it was read'),
  ).action((name: string, options: ProductOptions, command: Command) =>
    withRemote({ command, context }, async (remote) => {
      const catalogue = remote.client(CatalogService)
      const before = await catalogue.getProduct({ productId: await productIdOf(remote, name) })
      const price = priceOf(options, { command, currency: options.currency ?? before.price?.currency ?? 'USD' })
      const { sku, title, description, category, attribute } = options
      const attributes = attribute && { ...before.attributes, ...Object.fromEntries(attribute) }
      const changes = defined({ sku, title, description, category, price, attributes })
      const paths = Object.keys(changes)
      if (paths.length === 0) command.error('error: name what changes: --title, --price, …', { exitCode: 2 })
      const product = { ...changes, productId: before.productId, etag: options.etag ?? '' }
      answerProduct(remote, await catalogue.updateProduct({ product, updateMask: { paths } }))
    }),
  )
}

function productOptions(command: Command): Command {
  return command
    .option('--description <text>', 'what there is to say of it')
    .option('--currency <code>', 'of the price (default: USD, or what it has)')
    .option('--attribute <name=value>', 'a fact of it; may be given several times', toPairs)
}

function priceOf(
  { price }: ProductOptions,
  { command, currency }: { readonly command: Command; readonly currency: string },
): { readonly amountMinor: bigint; readonly currency: string } | undefined {
  if (price === undefined) return undefined
  const amountMinor = parseMoney(price, currency)
  if (amountMinor === undefined) return command.error(`error: "${price}" is no price in ${currency}`, { exitCode: 2 })
  return { amountMinor, currency }
}

type Defined<T extends object> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The fields that are there. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>
}

function answerProduct({ terminal }: Remote, product: Product): void {
  terminal.answer(
    messageJson(ProductSchema, product),
    () => productLines(terminal, product),
    () => [product.productId],
  )
}
