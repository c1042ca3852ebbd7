import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import fc from 'fast-check'
import { readImportFile } from './import-file.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('readImportFile', () => {
  it('readImportFile() takes no line of a CSV file whose header names a column twice', () => {
    const file = bytes('sku,title,sku,category,price_minor,currency\nA,T,B,drama,1,USD\n')
    assert.deepEqual(
      [...readImportFile(file, 'csv')],
      [{ line: 1, mistakes: [{ line: 1, field: 'sku', message: 'stands in the header twice' }] }],
    )
  })

  it('readImportFile() reads a line of either format alike', () => {
    const csv = bytes('sku,title,category,price_minor,currency,attributes.year\nA,T,drama,1,USD,1995\n')
    const line = {
      sku: 'A',
      title: 'T',
      category: 'drama',
      price_minor: 1,
      currency: 'USD',
      attributes: { year: '1995' },
    }
    const [fromCsv] = readImportFile(csv, 'csv')
    const [fromJson] = readImportFile(bytes(JSON.stringify(line)), 'jsonl')
    assert.deepEqual({ ...fromCsv, line: 0 }, { ...fromJson, line: 0 })
  })

  for (const format of ['csv', 'jsonl'] as const) {
    it(`readImportFile() reads or reports whatever ${format} comes, and throws for nothing but broken UTF-8`, () => {
      const text = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc
          .array(fc.constantFrom(',', '"', '\n', '\r', 'sku', 'title', ' ', '\ufeff', '{', '}', ':', '1', '['))
          .map((all) => all.join('')),
      )
      fc.assert(
        fc.property(fc.oneof(text.map(bytes), fc.uint8Array({ maxLength: 200 })), (file) => {
          try {
            for (const line of readImportFile(file, format)) assert.ok('facts' in line || line.mistakes.length > 0)
          } catch (error) {
            assert.ok(PlatformError.is(error) && error.kind === 'invalid', String(error))
          }
        }),
        { numRuns: 500 },
      )
    })
  }
})
