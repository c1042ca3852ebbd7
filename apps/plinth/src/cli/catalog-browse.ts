import {
  CatalogService,
  InventoryService,
  ProductChangeSchema,
  ProductSchema,
  SearchOrder,
} from '@plinth/catalog-service/contract'
import { type Command, Option } from 'commander'
import type { CommandContext } from './command-context.ts'
import { toInteger } from './globals.ts'
import { messageJson } from './remote/message.ts'
import { readPages } from './remote/pages.ts'
import { productColumns, productIdOf, productLines } from './remote/product.ts'
import { type Remote, withRemote } from './remote/remote.ts'
import { clean, money } from './text.ts'

const orders = {
  relevance: SearchOrder.UNSPECIFIED,
  title: SearchOrder.TITLE,
  price: SearchOrder.PRICE_ASCENDING,
  '-price': SearchOrder.PRICE_DESCENDING,
  newest: SearchOrder.NEWEST,
} as const

interface SearchOptions {
  readonly category?: string
  readonly priceMin?: number
  readonly priceMax?: number
  readonly inStock?: boolean
  readonly order: keyof typeof orders
  readonly limit: number
  readonly pageToken?: string
}

/** The commands that read the catalogue; nobody has to log in for most of them. */
export function addBrowseCommands(catalog: Command, context: CommandContext): void {
  const minor = toInteger({ min: 0, max: Number.MAX_SAFE_INTEGER })
  pageOptions(
    catalog
      .command('search')
      .description('find products by words and facts')
      .argument('[words...]', 'beginnings of words in title, description, SKU and facts')
      .option('--category <name>', 'of this category')
      .option('--price-min <minor>', 'from this price, in minor units (cents)', minor)
      .option('--price-max <minor>', 'to this price, in minor units (cents)', minor)
      .option('--in-stock', 'only what can be ordered')
      .addOption(new Option('--order <order>', 'what comes first').choices(Object.keys(orders)).default('relevance')),
  ).action((words: readonly string[], options: SearchOptions, command: Command) =>
    withRemote({ command, context }, (remote) => search(remote, words.join(' '), options)),
  )
  pageOptions(
    catalog.command('list').description('list products').option('--category <name>', 'of this category'),
  ).action((options: SearchOptions, command: Command) =>
    withRemote({ command, context }, (remote) => list(remote, options)),
  )
  catalog
    .command('get')
    .description('show a product')
    .argument('<product>', 'its id or SKU')
    .action((name: string, _, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const { client, terminal } = remote
        const product = await client(CatalogService).getProduct({ productId: await productIdOf(remote, name) })
        terminal.answer(messageJson(ProductSchema, product), () => productLines(terminal, product))
      }),
    )
  catalog
    .command('categories')
    .description('list the categories and how many products each has')
    .action((_, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        const answer = await client(CatalogService).listCategories({})
        terminal.answer(messageJson(CatalogService.method.listCategories.output, answer), () =>
          terminal.columns([
            ['PRODUCTS', 'CATEGORY'],
            ...answer.categories.map(({ value, count }) => [count, clean(value)]),
          ]),
        )
      }),
    )
  addStockCommand(catalog, context)
  addWatchCommand(catalog, context)
}

function pageOptions(command: Command): Command {
  return command
    .option('-n, --limit <count>', 'how many at most', toInteger({ min: 1, max: 10_000 }), 20)
    .option('--page-token <token>', 'go on where an earlier list ended')
}

async function search({ client, terminal }: Remote, q: string, options: SearchOptions): Promise<void> {
  const catalog = client(CatalogService)
  const { category = '', priceMin = 0, priceMax = 0, inStock = false } = options
  const query = { q, category, priceMin: BigInt(priceMin), priceMax: BigInt(priceMax), inStock }
  let total = 0
  let categories: readonly { readonly value: string; readonly count: number }[] = []
  const page = await readPages(options, async (range) => {
    const answer = await catalog.searchProducts({ ...query, ...range, order: orders[options.order] })
    total = answer.total
    if (answer.categories.length > 0) categories = answer.categories
    return { items: answer.products, nextPageToken: answer.nextPageToken }
  })
  const products = page.items.map((product) => messageJson(ProductSchema, product))
  const facets = categories.map(({ value, count }) => ({ value, count }))
  terminal.answer(
    { products, total, categories: facets, nextPageToken: page.nextPageToken },
    () => [
      ...productColumns(terminal, page.items),
      terminal.style.dim(
        `${page.items.length} of ${total}${facets.length > 1 ? `: ${facets.map((each) => `${clean(each.value)} ${each.count}`).join(', ')}` : ''}`,
      ),
    ],
    () => page.items.map(({ productId }) => productId),
  )
}

async function list({ client, terminal }: Remote, options: SearchOptions): Promise<void> {
  const { category = '' } = options
  const page = await readPages(options, async (range) => {
    const answer = await client(CatalogService).listProducts({ ...range, category })
    return { items: answer.products, nextPageToken: answer.nextPageToken }
  })
  const products = page.items.map((product) => messageJson(ProductSchema, product))
  terminal.answer(
    { products, nextPageToken: page.nextPageToken },
    () => [...productColumns(terminal, page.items), ...moreLine(terminal.style.dim, page.nextPageToken)],
    () => page.items.map(({ productId }) => productId),
  )
}

/** How to go on with a list that has more. */
export function moreLine(dim: (text: string) => string, nextPageToken: string): readonly string[] {
  return nextPageToken === '' ? [] : [dim(`There is more: --page-token ${nextPageToken}, or a larger --limit`)]
}

function addStockCommand(catalog: Command, context: CommandContext): void {
  catalog
    .command('stock')
    .description('show the stock of a product, or change it (operators)')
    .argument('<product>', 'its id or SKU')
    .option('--adjust <delta>', 'units more or less: 10, -3', toInteger({ min: -1_000_000, max: 1_000_000 }))
    .option('--reason <text>', 'why it changes')
    .action((name: string, options: { adjust?: number; reason?: string }, command: Command) =>
      withRemote({ command, context }, async (remote) => {
        const productId = await productIdOf(remote, name)
        const inventory = remote.client(InventoryService)
        const stock =
          options.adjust === undefined
            ? await inventory.getStock({ productId })
            : await inventory.adjustStock({ productId, delta: options.adjust, reason: options.reason ?? '' })
        remote.terminal.answer(
          messageJson(InventoryService.method.getStock.output, stock),
          () => [`${stock.available} available, ${stock.held} held by open orders, ${stock.sold} sold`],
          () => [String(stock.available)],
        )
      }),
    )
}

function addWatchCommand(catalog: Command, context: CommandContext): void {
  catalog
    .command('watch')
    .description('follow what happens to products (operators); Ctrl-C ends it')
    .option(
      '--after <sequence>',
      'everything after this change; 0 is from the beginning',
      toInteger({ min: -1, max: Number.MAX_SAFE_INTEGER }),
      -1,
    )
    .action((options: { after: number }, command: Command) =>
      withRemote({ command, context }, async ({ client, terminal }) => {
        for await (const change of client(CatalogService).watchProducts({ after: BigInt(options.after) })) {
          const { product, type, sequence } = change
          terminal.item(messageJson(ProductChangeSchema, change), () =>
            product
              ? `${sequence}  ${type}  ${clean(product.sku)}  ${money(product.price)}  ${product.available}  ${clean(product.title)}`
              : `${sequence}  ${type}`,
          )
        }
      }),
    )
}
