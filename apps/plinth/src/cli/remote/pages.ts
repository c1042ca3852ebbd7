/** A page as every list answers it. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextPageToken: string
}

/** What to read of a list. */
export interface PageRange {
  readonly limit: number
  /** Where the list goes on, from an earlier answer. */
  readonly pageToken?: string | undefined
}

const pageMax = 100

/** Reads as many pages as `limit` takes. The token goes on right behind the last item. */
export async function readPages<Item>(
  range: PageRange,
  read: (request: { readonly pageSize: number; readonly pageToken: string }) => Promise<Page<Item>>,
): Promise<Page<Item>> {
  const items: Item[] = []
  let pageToken = range.pageToken ?? ''
  do {
    const page = await read({ pageSize: Math.min(pageMax, range.limit - items.length), pageToken })
    items.push(...page.items)
    pageToken = page.nextPageToken
  } while (pageToken !== '' && items.length < range.limit)
  return { items, nextPageToken: pageToken }
}
