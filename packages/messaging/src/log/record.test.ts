import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newMessage } from '../testing/bus-fixture.ts'
import { messageBytes, readMessage, readTopic, writeMessage, writeOffset } from './message-codec.ts'
import { checkRecord, recordBad, recordHeaderBytes, recordShort, sealRecord } from './record.ts'

const bodyBytesMax = 1 << 20

function sealed(body: Uint8Array, position: number): Buffer {
  const buffer = Buffer.alloc(recordHeaderBytes + body.length)
  buffer.set(body, recordHeaderBytes)
  sealRecord(buffer, { at: 0, bodyBytes: body.length, position })
  return buffer
}

const body = fc.uint8Array({ minLength: 1, maxLength: 300 })
const position = fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 })

test('checkRecord() takes what sealRecord() made, whole and in its place only', () => {
  fc.assert(
    fc.property(body, position, fc.nat(), (bytes, at, cut) => {
      const buffer = sealed(bytes, at)
      const end = buffer.length
      assert.equal(checkRecord(buffer, { at: 0, position: at, end, bodyBytesMax }), bytes.length)
      assert.equal(checkRecord(buffer, { at: 0, position: at + 1, end, bodyBytesMax }), recordBad)
      assert.equal(checkRecord(buffer, { at: 0, position: at, end: cut % end, bodyBytesMax }), recordShort)
      assert.equal(checkRecord(buffer, { at: 0, position: at, end, bodyBytesMax: bytes.length - 1 }), recordBad)
    }),
  )
})

test('checkRecord() sees every flipped bit', () => {
  fc.assert(
    fc.property(body, fc.nat(), fc.nat({ max: 7 }), (bytes, where, bit) => {
      const buffer = sealed(bytes, 4711)
      const at = where % buffer.length
      buffer[at] = (buffer[at] as number) ^ (1 << bit)
      assert.ok(checkRecord(buffer, { at: 0, position: 4711, end: buffer.length, bodyBytesMax }) < 0)
    }),
  )
})

test('checkRecord() answers to any bytes and throws at none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), position, (bytes, at) => {
      const buffer = Buffer.from(bytes)
      const answer = checkRecord(buffer, { at: 0, position: at, end: buffer.length, bodyBytesMax })
      assert.ok(answer === recordShort || answer === recordBad)
    }),
  )
})

test('readMessage() reads what writeMessage() wrote', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 })
  const headers = fc.dictionary(
    text.filter((name) => name !== '' && name !== '__proto__'),
    text,
    { maxKeys: 8, noNullPrototype: true },
  )
  const fields = fc.record({
    key: text,
    type: text,
    headers,
    payload: fc.uint8Array({ maxLength: 500 }),
    timeMs: position,
  })
  fc.assert(
    fc.property(fields, position, (given, offset) => {
      const message = newMessage(given)
      const buffer = Buffer.alloc(messageBytes(message) + 7)
      writeMessage(buffer, message, 7)
      writeOffset(buffer, offset, 7)
      const got = readMessage(buffer, 7, buffer.length)
      assert.equal(readTopic(buffer, 7), message.topic)
      assert.deepEqual(got, { ...message, offset: BigInt(offset) })
    }),
  )
})
