import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import { credentialsPath, parseCredentials } from './credentials.ts'

describe('credentials file', () => {
  it('parseCredentials() refuses everything that is not as this program writes it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.constant('{"version":1,"logins":{"a":{"email":1}}}')), (text) => {
        try {
          for (const login of parseCredentials(text, 'x').values()) assert.equal(typeof login.accessToken, 'string')
        } catch (error) {
          assert.ok(PlatformError.is(error))
          assert.equal(error.code, 'plinth.credentials_broken')
        }
      }),
    )
  })

  it('credentialsPath() follows XDG_CONFIG_HOME, else the home folder', () => {
    assert.equal(credentialsPath({ XDG_CONFIG_HOME: '/x', HOME: '/h' }), '/x/plinth/credentials.json')
    assert.equal(credentialsPath({ XDG_CONFIG_HOME: '', HOME: '/h' }), '/h/.config/plinth/credentials.json')
  })
})
