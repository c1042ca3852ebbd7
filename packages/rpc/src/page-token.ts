import { isUuid, PlatformError } from '@plinth/base'

/** The last row of a page, by which the next one begins: lists are ordered by a time and, within it, an id. */
export interface PageStart {
  readonly timeMs: number
  readonly id: string
}

/** An opaque token for `next_page_token`. It tells no more than the page before it did. */
export function encodePageToken(start: PageStart): string {
  return Buffer.from(`${start.timeMs} ${start.id}`).toString('base64url')
}

/**
 * Reads a `page_token`; the empty one begins with the first page.
 *
 * @throws PlatformError `rpc.page_token_invalid` for a token that {@link encodePageToken} never made.
 */
export function decodePageToken(token: string): PageStart | undefined {
  if (token === '') return undefined
  const [time = '', id = ''] = Buffer.from(token, 'base64url').toString('latin1').split(' ')
  if (/^\d{1,15}$/.test(time) && isUuid(id)) {
    const start = { timeMs: Number(time), id }
    // Base64 is read past what it does not know, so that many tokens read alike: only ours is taken.
    if (encodePageToken(start) === token) return start
  }
  throw pageTokenInvalid()
}

/** The fault `rpc.page_token_invalid`, for lists whose tokens are of another form than {@link encodePageToken}'s. */
export function pageTokenInvalid(): PlatformError {
  return new PlatformError('Cannot read the page: page_token is not one that was given as next_page_token', {
    kind: 'invalid',
    code: 'rpc.page_token_invalid',
    details: { violations: [{ field: 'pageToken', rule: 'page_token', message: 'Expected a next_page_token' }] },
  })
}
