import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock } from '@plinth/base'
import { createHealthController } from '../health/health-registry.ts'
import { createTestSection } from '../testing.ts'
import { adminConfig } from './admin-config.ts'
import { listenAdmin } from './admin-server.ts'

async function open(values: { connectionsMax?: number } = {}) {
  const health = createHealthController({ clock: systemClock })
  const expose = (accept: string | undefined) => ({ contentType: 'text/plain', body: `up 1 ${accept ?? ''}\n` })
  const options = createTestSection(adminConfig, { port: 0, ...values }).current
  const server = await listenAdmin({ health, expose }, options)
  const { host, port } = server.address
  return {
    health,
    server,
    port,
    get: (path: string, init?: RequestInit) => fetch(`http://${host}:${port}${path}`, init),
  }
}

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
    socket.end(text)
  })
}

describe('admin server', () => {
  it('listenAdmin() answers probes by phase and check, with reasons', async () => {
    const { health, server, get } = await open()
    await using _server = server
    const statuses = async () =>
      Promise.all(['/startupz', '/healthz', '/readyz'].map(async (path) => (await get(path)).status))
    assert.deepEqual(await statuses(), [503, 200, 503])
    health.setPhase('ready')
    assert.deepEqual(await statuses(), [200, 200, 200])
    health.register({ name: 'disk', criticality: 'fatal', check: () => ({ ok: false, reason: 'gone' }) })
    assert.deepEqual(await statuses(), [200, 503, 503])
    const body = (await (await get('/readyz?verbose')).json()) as { reasons: string[] }
    assert.deepEqual(body.reasons, ['disk: gone'])
  })

  it('listenAdmin() serves metrics, HEAD without a body, and nothing else', async () => {
    const { server, get } = await open()
    await using _server = server
    const metrics = await get('/metrics', { headers: { accept: 'a/b' } })
    assert.equal(await metrics.text(), 'up 1 a/b\n')
    assert.equal(metrics.headers.get('cache-control'), 'no-store')
    const head = await get('/metrics', { method: 'HEAD' })
    assert.deepEqual([head.status, await head.text()], [200, ''])
    assert.equal((await get('/debug')).status, 404)
    const post = await get('/metrics', { method: 'POST', body: 'x' })
    assert.deepEqual(
      [post.status, post.headers.get('allow'), post.headers.get('connection')],
      [405, 'GET, HEAD', 'close'],
    )
  })

  it('listenAdmin() refuses bodies, oversized headers and broken requests', async () => {
    const { server, port } = await open()
    await using _server = server
    assert.match(
      await raw(port, 'GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc'),
      /^HTTP\/1\.1 413 /,
    )
    assert.match(
      await raw(port, `GET /healthz HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(9000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    )
    assert.match(await raw(port, 'GET /healthz HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.match(await raw(port, '\x00\x01\r\n\r\n'), /^HTTP\/1\.1 400 /)
  })

  it('listenAdmin() closes connections past its bound, and closes idle ones when it ends', async () => {
    const { server, port } = await open({ connectionsMax: 1 })
    const idle = connect(port, '127.0.0.1')
    const closed = new Promise((resolve) => idle.on('close', resolve))
    await new Promise((resolve) => idle.on('connect', resolve))
    assert.equal(await raw(port, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n').catch(() => ''), '')
    await server[Symbol.asyncDispose]()
    await closed
  })

  it('listenAdmin() rejects when the port is taken', async () => {
    const { server, port } = await open()
    await using _server = server
    const deps = {
      health: createHealthController({ clock: systemClock }),
      expose: () => ({ contentType: '', body: '' }),
    }
    await assert.rejects(listenAdmin(deps, createTestSection(adminConfig, { port }).current), { code: 'EADDRINUSE' })
  })
})
