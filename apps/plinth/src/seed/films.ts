import { readFile } from 'node:fs/promises'

/** One row of `movies.json` in the npm package `vega-datasets`, as far as it is used. */
export interface Film {
  readonly Title: string | number | null
  readonly 'Release Date': string | null
  readonly 'MPAA Rating': string | null
  readonly 'Running Time min': number | null
  readonly Distributor: string | null
  readonly Source: string | null
  readonly 'Major Genre': string | null
  readonly 'Creative Type': string | null
  readonly Director: string | null
  readonly 'IMDB Rating': number | null
  readonly 'IMDB Votes': number | null
}

/** The last year of the data; a later one is a film of the century before, whose year was written with two digits. */
const yearMax = 2011

/** The films of the data set, 3,201 of them. */
export async function readFilms(): Promise<readonly Film[]> {
  // The package exports its code alone; the data lies beside it.
  const path = new URL('../data/movies.json', import.meta.resolve('vega-datasets'))
  return JSON.parse(await readFile(path, 'utf8')) as readonly Film[]
}

/** All films as a file of product lines. */
export async function filmLines(): Promise<string> {
  return (await readFilms()).map(filmToLine).join('\n')
}

/**
 * A film as a line of a product import. The rule, for price and stock that the data does not have:
 *
 * - SKU: `FILM-` and the row's number from 1.
 * - Category: the major genre, or `other`.
 * - Price: 4.99 USD, and 1.00 more for every full point of the IMDB rating above 5, and 3.00 more from the year 2000 on.
 * - Stock: a unit for every 500 IMDB votes, at least 3 and at most 500.
 */
export function filmToLine(film: Film, index: number): string {
  const year = yearOf(film['Release Date'])
  const rating = film['IMDB Rating'] ?? 0
  const title = film.Title === null ? `Untitled film ${index + 1}` : String(film.Title)
  const genre = film['Major Genre'] ?? ''
  const attributes = Object.entries({
    director: film.Director,
    year,
    mpaa_rating: film['MPAA Rating'],
    minutes: film['Running Time min'],
    distributor: film.Distributor,
    source: film.Source,
    type: film['Creative Type'],
    imdb_rating: film['IMDB Rating'],
  }).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)] as const]))
  return JSON.stringify({
    sku: `FILM-${String(index + 1).padStart(4, '0')}`,
    title,
    description: describe(film, year),
    category: genre === '' ? 'other' : slug(genre),
    price_minor: 499 + 100 * Math.max(0, Math.floor(rating) - 5) + (year !== null && year >= 2000 ? 300 : 0),
    currency: 'USD',
    stock: Math.min(500, Math.max(3, Math.round((film['IMDB Votes'] ?? 0) / 500))),
    attributes: Object.fromEntries(attributes),
  })
}

function yearOf(date: string | null): number | null {
  const year = Number(date?.split(' ').at(-1) ?? Number.NaN)
  if (!Number.isInteger(year)) return null
  return year > yearMax ? year - 100 : year
}

function describe(film: Film, year: number | null): string {
  const what = film['Major Genre'] ? `${film['Major Genre']} film` : 'Film'
  const by = film.Director ? ` by ${film.Director}` : ''
  const when = year === null ? '' : `, ${year}`
  const length = film['Running Time min'] ? ` ${film['Running Time min']} minutes.` : ''
  const from = film.Distributor ? ` Distributed by ${film.Distributor}.` : ''
  return `${what}${by}${when}.${length}${from}`
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}
