import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { it } from 'node:test'
import fc from 'fast-check'
import { createTargetCheck } from './target-check.ts'

const check = createTargetCheck({ hosts: ['shop.example'], headersMax: 10, urlBytesMax: 100 })

function request(url: string, ...rawHeaders: string[]): IncomingMessage {
  return { url, method: 'GET', rawHeaders, httpVersionMinor: 1 } as unknown as IncomingMessage
}

it('createTargetCheck() lets pass only origin-form targets with one known Host, whatever comes', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('/', '*', 'http://shop.example/x', '//shop.example', 'shop.example'),
  )
  const host = fc.oneof(
    fc.string(),
    fc.constantFrom('shop.example', 'SHOP.example:80', 'shop.example:', '[::1]', 'a@shop.example'),
  )
  fc.assert(
    fc.property(text, fc.array(host, { maxLength: 2 }), (url, hosts) => {
      const asked = request(url, ...hosts.flatMap((value) => ['Host', value]))
      const refused = check(asked)
      if (refused) {
        assert.equal(refused.kind, 'invalid')
        return
      }
      assert.equal(hosts.length, 1)
      assert.match(hosts[0] as string, /^shop\.example(:\d+)?$/i)
      assert.match(asked.url as string, /^\//)
    }),
    { numRuns: 2_000 },
  )
})

it('createTargetCheck() brings absolute targets to origin form', () => {
  const asked = request('http://shop.example', 'host', 'shop.example')
  assert.equal(check(asked), undefined)
  assert.equal(asked.url, '/')
})
