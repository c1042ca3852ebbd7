import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ErrorKind, errorKinds, isErrorKind } from './error-kind.ts'
import { fromUnknown, PlatformError } from './platform-error.ts'

const system = (code: string) => Object.assign(new Error(`${code}: it failed`), { code })

describe('errorKinds', () => {
  const rows = Object.entries(errorKinds)

  it('gives every kind an exit code of its own, from 10 to 125', () => {
    const codes = rows.map(([, facts]) => facts.exit)
    assert.equal(new Set(codes).size, codes.length)
    // Below 10 are crashes and usage errors, above 125 what shells report about signals.
    assert.deepEqual(
      codes.filter((code) => code < 10 || code > 125),
      [],
    )
  })

  for (const [kind, facts] of rows) {
    it(`${kind} is an error status on HTTP and gRPC and has a title`, () => {
      assert.ok(Number.isInteger(facts.http) && facts.http >= 400 && facts.http <= 599)
      assert.ok(Number.isInteger(facts.grpc) && facts.grpc >= 1 && facts.grpc <= 16)
      assert.match(facts.title, /^[A-Z][A-Za-z ]+$/)
    })
  }

  it('blames the server exactly where it logs an error or ran out of time', () => {
    const ours = rows.filter(([, facts]) => facts.http >= 500).map(([kind]) => kind)
    assert.deepEqual(ours.sort(), ['internal', 'timeout', 'unavailable', 'unsupported'])
  })

  it('isErrorKind() knows the kinds and nothing an object inherits', () => {
    assert.ok(rows.every(([kind]) => isErrorKind(kind)))
    for (const other of ['toString', '__proto__', '', 'INVALID', undefined, 3, {}])
      assert.equal(isErrorKind(other), false)
  })
})

describe('PlatformError', () => {
  it('takes its retryability from the kind, unless told otherwise', () => {
    assert.equal(new PlatformError('x', { kind: 'unavailable', code: 'a.b' }).retryable, true)
    assert.equal(new PlatformError('x', { kind: 'unavailable', code: 'a.b', retryable: false }).retryable, false)
    assert.equal(new PlatformError('x', { kind: 'invalid', code: 'a.b' }).retryable, false)
  })

  it('carries only its own facts, and its name on the prototype', () => {
    const error = new PlatformError('x', { kind: 'invalid', code: 'a.b' })
    assert.deepEqual(Object.keys(error), ['kind', 'code', 'retryable', 'retryAfterMs', 'details'])
    assert.equal(error.name, 'PlatformError')
    assert.equal(Object.hasOwn(error, 'cause'), false)
    assert.match(String(error.stack), /^PlatformError: x\n/)
  })

  it('is() knows a fault of another copy of the package and nothing that only resembles one', () => {
    const facts = { kind: 'timeout', code: 'a.b', retryable: true, details: {} }
    assert.equal(PlatformError.is(Object.assign(new Error('x'), facts)), true)
    assert.equal(PlatformError.is(facts), false)
    for (const broken of [{ kind: 'odd' }, { code: 7 }, { retryable: 'yes' }, { details: null }]) {
      assert.equal(PlatformError.is(Object.assign(new Error('x'), facts, broken)), false)
    }
  })
})

describe('fromUnknown()', () => {
  const rows: [unknown, ErrorKind, string][] = [
    [AbortSignal.abort().reason, 'cancelled', 'base.cancelled'],
    [new DOMException('late', 'TimeoutError'), 'timeout', 'base.deadline'],
    [system('ENOSPC'), 'exhausted', 'base.disk_full'],
    [system('EDQUOT'), 'exhausted', 'base.disk_full'],
    [system('EMFILE'), 'exhausted', 'base.files_exhausted'],
    [system('ENFILE'), 'exhausted', 'base.files_exhausted'],
    [system('ECONNREFUSED'), 'unavailable', 'base.connection_refused'],
    [system('ECONNRESET'), 'unavailable', 'base.connection_lost'],
    [system('EPIPE'), 'unavailable', 'base.connection_lost'],
    [system('ENOTFOUND'), 'unavailable', 'base.name_unknown'],
    [system('EAI_AGAIN'), 'unavailable', 'base.name_unknown'],
    [system('EHOSTUNREACH'), 'unavailable', 'base.unreachable'],
    [system('ENETUNREACH'), 'unavailable', 'base.unreachable'],
    [system('ETIMEDOUT'), 'unavailable', 'base.connection_timeout'],
    [system('EWHATEVER'), 'internal', 'base.internal'],
    [new TypeError('secret detail'), 'internal', 'base.internal'],
    ['a string', 'internal', 'base.internal'],
    [undefined, 'internal', 'base.internal'],
    [null, 'internal', 'base.internal'],
    [{ code: 'ENOSPC' }, 'internal', 'base.internal'],
  ]
  for (const [at, [reason, kind, code]] of rows.entries()) {
    it(`row ${at}: ${String(reason)} becomes ${code}`, () => {
      const fault = fromUnknown(reason)
      assert.deepEqual([fault.kind, fault.code, fault.cause], [kind, code, reason])
      assert.doesNotMatch(fault.message, /secret|string|EWHATEVER/)
    })
  }

  it('returns a fault as it is', () => {
    const fault = new PlatformError('x', { kind: 'stale', code: 'a.b' })
    assert.equal(fromUnknown(fault), fault)
  })
})
