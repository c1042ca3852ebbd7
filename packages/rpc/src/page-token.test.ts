import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import { decodePageToken, encodePageToken } from './page-token.ts'

const start = { timeMs: 1_790_000_000_000, id: '01890a5d-ac96-774b-bcce-b302099a8057' }

function isRefused(error: unknown): boolean {
  return PlatformError.is(error) && error.code === 'rpc.page_token_invalid' && error.kind === 'invalid'
}

describe('decodePageToken', () => {
  it('decodePageToken() reads what encodePageToken() wrote', () => {
    assert.deepEqual(decodePageToken(encodePageToken(start)), start)
    assert.equal(decodePageToken(''), undefined)
  })

  it('decodePageToken() refuses tokens that read like ours and are not', () => {
    const token = encodePageToken(start)
    const longer = Buffer.from(`${start.timeMs} ${start.id} more`).toString('base64url')
    for (const wrong of [`${token}=`, `${token}!`, ` ${token}`, longer]) {
      assert.throws(() => decodePageToken(wrong), isRefused, wrong)
    }
  })

  it('decodePageToken() answers or refuses whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (token) => {
        try {
          decodePageToken(token)
        } catch (error) {
          return isRefused(error)
        }
        return true
      }),
    )
  })
})
