import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { splitRecords } from './split-records.ts'

describe('splitRecords()', () => {
  it('loses no byte of JSONL and tells the line each piece begins after', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^\n]*$/)), fc.integer({ min: 1, max: 5 }), (lines, recordsMax) => {
        const text = lines.join('\n')
        const pieces = splitRecords(text, { recordsMax, isCsv: false })
        assert.equal(pieces.map((piece) => piece.text).join(''), text)
        let before = 0
        for (const piece of pieces) {
          assert.ok(piece.records <= recordsMax)
          assert.equal(piece.lineOffset, before)
          before += piece.text.split('\n').length - (piece.text.endsWith('\n') ? 1 : 0)
        }
      }),
    )
  })

  it('repeats the heading of CSV and never cuts a quoted field', () => {
    const text = 'sku,title\na,"one\ntwo"\nb,"say ""hi""\n"\nc,three\n'
    const pieces = splitRecords(text, { recordsMax: 1, isCsv: true })
    assert.deepEqual(pieces, [
      { text: 'sku,title\na,"one\ntwo"\n', records: 1, lineOffset: 0 },
      { text: 'sku,title\nb,"say ""hi""\n"\n', records: 1, lineOffset: 2 },
      { text: 'sku,title\nc,three\n', records: 1, lineOffset: 4 },
    ])
  })

  it('takes empty text, a heading alone and a quote that never ends', () => {
    assert.deepEqual(splitRecords('', { recordsMax: 1, isCsv: true }), [])
    assert.deepEqual(splitRecords('sku\n', { recordsMax: 1, isCsv: true }), [])
    assert.equal(splitRecords('sku\n"a\nb\nc', { recordsMax: 1, isCsv: true }).length, 1)
  })
})
