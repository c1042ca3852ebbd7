import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { labelsOf } from './admin-client.ts'
import { checkClock, checkNode } from './doctor-checks.ts'
import { readPages } from './remote/pages.ts'
import { parseServer } from './remote/remote.ts'
import { explainStart } from './start-trouble.ts'
import { readToken } from './verify.ts'

describe('small parts of commands', () => {
  it('parseServer() takes names, v4 and v6, and refuses the rest', () => {
    assert.deepEqual(parseServer('shop.example:9090'), { host: 'shop.example', port: 9090 })
    assert.deepEqual(parseServer('[::1]:1'), { host: '::1', port: 1 })
    for (const text of ['', 'host', 'host:', ':1', 'host:0', 'host:65536', 'http://host:1', '::1:1', 'a b:1']) {
      assert.throws(() => parseServer(text), { code: 'plinth.server_invalid' }, text)
    }
  })

  it('readPages() reads as many pages as the limit takes and no item more', async () => {
    const asked: number[] = []
    const read = async ({ pageSize, pageToken }: { pageSize: number; pageToken: string }) => {
      asked.push(pageSize)
      const start = Number(pageToken || 0)
      const items = Array.from({ length: Math.min(pageSize, 250 - start) }, (_, at) => start + at)
      return { items, nextPageToken: start + items.length < 250 ? String(start + items.length) : '' }
    }
    const part = await readPages({ limit: 120 }, read)
    assert.deepEqual([part.items.length, part.nextPageToken, asked], [120, '120', [100, 20]])
    const rest = await readPages({ limit: 1000, pageToken: part.nextPageToken }, read)
    assert.deepEqual([rest.items.length, rest.items.at(-1), rest.nextPageToken], [130, 249, ''])
  })

  it('readToken() finds the token of a mail to that address only', () => {
    const mail = 'From: x\r\nTo: <Ada@example.com>\r\n\r\nUse this:\n\nev_ORW0b63Jw03ya9c3PatKaCZUtOAUtp8eiXfVDkW3jvs\n'
    assert.equal(readToken(mail, 'ada@example.com'), 'ev_ORW0b63Jw03ya9c3PatKaCZUtOAUtp8eiXfVDkW3jvs')
    assert.equal(readToken(mail, 'bob@example.com'), undefined)
    assert.equal(readToken('', 'ada@example.com'), undefined)
  })

  it('explainStart() finds the taken port and the locked folder under any cause', () => {
    const taken = Object.assign(new Error('listen EADDRINUSE: address already in use 127.0.0.1:8080'), {
      code: 'EADDRINUSE',
      port: 8080,
    })
    const wrapped = new PlatformError('x', { kind: 'internal', code: 'kernel.start_failed', cause: taken })
    assert.match(explainStart(wrapped)?.message ?? '', /port 8080 is taken/)
    const locked = new PlatformError('x', { kind: 'precondition', code: 'messaging.folder_locked' })
    assert.equal(explainStart(new Error('y', { cause: locked }))?.code, 'messaging.folder_locked')
    assert.equal(explainStart(new Error('z')), undefined)
  })

  it('labelsOf() reads escaped labels and nothing from rubbish', () => {
    const text = '# HELP a b\nplinth_info{version="0.1.0",http="a\\"b\\\\"} 1\n'
    assert.deepEqual(Object.fromEntries(labelsOf(text, 'plinth_info')), { version: '0.1.0', http: 'a"b\\' })
    assert.equal(labelsOf('<html>', 'plinth_info').size, 0)
  })

  it('checkNode() and checkClock() know what is too old', () => {
    const rows: [string, string][] = [
      ['26.10.0', 'ok'],
      ['27.0.0', 'ok'],
      ['26.9.9', 'fail'],
      ['20.1.0', 'fail'],
    ]
    for (const [version, outcome] of rows) assert.equal(checkNode(version).outcome, outcome, version)
    assert.equal(checkClock(Date.UTC(2026, 5, 1)).outcome, 'ok')
    assert.equal(checkClock(0).outcome, 'fail')
  })
})
