import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseConfigFile } from './parse-file.ts'

const yaml = `# shop
orders:
  linesMax: 5

  payTimeoutMs: 30m
http:
  port: 80
`
const json = `{
  "orders": { "linesMax": 5,
    "payTimeoutMs": "30m" },
  "http": { "port": 80 }
}`
const toml = `[orders]
linesMax = 5
payTimeoutMs = "30m"

[http]
port = 80
`

const lines = [
  ['c.yaml', yaml, [3, 5, 7]],
  ['c.json', json, [2, 3, 4]],
  ['c.toml', toml, [2, 3, 6]],
] as const

describe('config files', () => {
  for (const [name, text, places] of lines) {
    it(`parseConfigFile() knows values and lines of ${name}`, () => {
      const { entries, problems } = parseConfigFile(name, text)
      assert.deepEqual(problems, [])
      assert.deepEqual(
        entries.map(({ section, field, raw, place }) => [section, field, raw, place]),
        [
          ['orders', 'linesMax', 5, `${name}:${places[0]}`],
          ['orders', 'payTimeoutMs', '30m', `${name}:${places[1]}`],
          ['http', 'port', 80, `${name}:${places[2]}`],
        ],
      )
    })
  }

  it('parseConfigFile() tells what is wrong with a file, and where', () => {
    const problems = (name: string, text: string) =>
      parseConfigFile(name, text).problems.map(({ place, message }) => `${place} ${message}`)
    assert.match(problems('c.yaml', 'a: 1\nb: [')[0] ?? '', /^c\.yaml:2 /)
    assert.match(problems('c.yaml', 'a: {b: 1}\na: {b: 2}')[0] ?? '', /^c\.yaml:2 Map keys must be unique/)
    assert.match(problems('c.toml', 'a = 1\nb = ')[0] ?? '', /^c\.toml:2 /)
    assert.match(problems('c.json', '{"a":')[0] ?? '', /^c\.json /)
    assert.match(problems('c.ini', 'a=1')[0] ?? '', /must end in \.yaml, \.yml, \.json, \.toml/)
    assert.match(problems('c.yaml', '- a')[0] ?? '', /^c\.yaml:1 must be a table of sections/)
    assert.match(problems('c.json', '['.repeat(200_000))[0] ?? '', /^c\.json /)
    assert.match(problems('c.yaml', '['.repeat(20_000))[0] ?? '', /^c\.yaml/)
  })

  it('parseConfigFile() refuses a bomb of aliases', () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
      .split('')
      .map((name, at) => `${name}: &${name} [${`*${'abcdefg'[at]}, `.repeat(10)}]`)
      .join('\n')}`
    assert.equal(parseConfigFile('c.yaml', bomb).problems.length, 1)
  })

  it('parseConfigFile() has no entries for an empty file, an empty section and the schema', () => {
    assert.deepEqual(parseConfigFile('c.yaml', ''), { entries: [], problems: [] })
    assert.deepEqual(parseConfigFile('c.yaml', '$schema: ./x.json\norders:\n'), { entries: [], problems: [] })
    assert.deepEqual(
      parseConfigFile('c.json', '{"__proto__":{"a":1}}').entries.map(({ section }) => section),
      ['__proto__'],
    )
  })

  it('parseConfigFile() answers any text without throwing', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', ':', ' ', '\n', '[', '{', '"', '=', '-', '&', '*', '#', ']', '}', '1') }),
    )
    fc.assert(
      fc.property(fc.constantFrom('c.yaml', 'c.json', 'c.toml'), text, (name, each) => {
        const { entries, problems } = parseConfigFile(name, each)
        assert.ok(entries.length >= 0 && problems.every(({ message }) => message.length > 0))
      }),
      { numRuns: 500 },
    )
  })
})
