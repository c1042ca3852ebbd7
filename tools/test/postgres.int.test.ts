import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pg from 'pg'
import { findPostgres, startPostgres } from './postgres.ts'

const binaries = findPostgres()

describe('startPostgres()', { skip: binaries ? false : 'PostgreSQL is not installed' }, () => {
  it('serves on 127.0.0.1 to those who have the password, and is gone after its disposal', async () => {
    assert.ok(binaries)
    let url: string
    {
      await using server = await startPostgres(binaries)
      url = server.url
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const { rows } = await client.query('select 1 + 1 as two')
      assert.deepEqual(rows, [{ two: 2 }])
      await client.end()
      const stranger = new pg.Client({ connectionString: url.replace(/:\w+@/, ':wrong@') })
      await assert.rejects(stranger.connect(), /password authentication failed/)
    }
    await assert.rejects(new pg.Client({ connectionString: url }).connect(), { code: 'ECONNREFUSED' })
  })

  it('says why it could not start', async () => {
    await assert.rejects(startPostgres('/nowhere'), { code: 'ENOENT' })
  })
})
