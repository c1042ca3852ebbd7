import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Film, filmToLine, readFilms } from './films.ts'

const nothing: Film = {
  Title: null,
  'Release Date': null,
  'MPAA Rating': null,
  'Running Time min': null,
  Distributor: null,
  Source: null,
  'Major Genre': null,
  'Creative Type': null,
  Director: null,
  'IMDB Rating': null,
  'IMDB Votes': null,
}

describe('filmToLine()', () => {
  it('gives price and stock by the stated rule', () => {
    const rows: [Partial<Film>, number, number][] = [
      [{}, 499, 3],
      [{ 'IMDB Rating': 5.9 }, 499, 3],
      [{ 'IMDB Rating': 6 }, 599, 3],
      [{ 'IMDB Rating': 8.7, 'Release Date': 'Jun 12 1999', 'IMDB Votes': 50_000 }, 799, 100],
      [{ 'IMDB Rating': 8.7, 'Release Date': 'Jun 12 2000', 'IMDB Votes': 519_541 }, 1099, 500],
    ]
    for (const [facts, price, stock] of rows) {
      const line = JSON.parse(filmToLine({ ...nothing, ...facts }, 0))
      assert.deepEqual([line.price_minor, line.stock], [price, stock])
    }
  })

  it('moves a year after 2011 back by a century', () => {
    const line = JSON.parse(filmToLine({ ...nothing, 'Release Date': 'Dec 31 2046' }, 0))
    assert.equal(line.attributes.year, '1946')
  })

  it('makes a line of every film, each with a SKU of its own', async () => {
    const films = await readFilms()
    assert.equal(films.length, 3201)
    const lines = films.map((film, index) => JSON.parse(filmToLine(film, index)))
    assert.equal(new Set(lines.map((line) => line.sku)).size, 3201)
    assert.ok(lines.every((line) => typeof line.title === 'string' && line.title.length > 0))
    assert.ok(lines.every((line) => /^[a-z0-9-]{1,64}$/.test(line.category)))
  })
})
