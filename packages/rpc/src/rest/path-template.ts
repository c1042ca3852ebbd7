/** One segment of a path: a literal, `*` for exactly one segment, `**` for the rest, however many. */
export type TemplateSegment = { readonly literal: string } | { readonly wild: '*' | '**' }

/** A part of the path that goes into a field of the request. */
export interface TemplateVariable {
  /** `book.book_id` */
  readonly field: string
  /** First segment that belongs to it. */
  readonly from: number
  /** Behind its last segment; `Infinity` when it ends in `**`. */
  readonly to: number
  /**
   * Whether it may span several segments. Then `%2F` stays as it is in the value, since a decoded slash would read
   * like a boundary between segments (google.api.http, "Path template syntax").
   */
  readonly multi: boolean
}

/** A path template of google.api.http, taken apart. */
export interface PathTemplate {
  readonly text: string
  readonly segments: readonly TemplateSegment[]
  /** Behind the last colon: `lend` in `/v1/books/{book_id}:lend`; empty without one. */
  readonly verb: string
  readonly variables: readonly TemplateVariable[]
}

const literalForm = /^[A-Za-z0-9\-._~!$&'()+,;=@%]+$/
const fieldForm = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/

/**
 * Parses `"/" Segments [ ":" Verb ]` as google/api/http.proto defines it.
 *
 * @throws TypeError saying what is wrong with the template.
 */
export function parsePathTemplate(text: string): PathTemplate {
  return new TemplateParser(text).parse()
}

class TemplateParser {
  readonly #text: string
  readonly #segments: TemplateSegment[] = []
  readonly #variables: TemplateVariable[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): PathTemplate {
    if (!this.#take('/')) this.#fail('it does not begin with a slash')
    this.#readSegments(false)
    const verb = this.#take(':') ? this.#word('verb') : ''
    if (this.#at < this.#text.length) this.#fail(`unexpected "${this.#text[this.#at]}"`)
    const rest = this.#segments.findIndex((segment) => 'wild' in segment && segment.wild === '**')
    if (rest >= 0 && rest < this.#segments.length - 1) this.#fail('** is not the last segment')
    const names = this.#variables.map((variable) => variable.field)
    if (new Set(names).size < names.length) this.#fail('a variable occurs twice')
    return { text: this.#text, segments: this.#segments, verb, variables: this.#variables }
  }

  #readSegments(insideVariable: boolean): void {
    do {
      if (this.#take('{')) {
        if (insideVariable) this.#fail('a variable is inside a variable')
        this.#readVariable()
      } else if (this.#take('**')) {
        this.#segments.push({ wild: '**' })
      } else if (this.#take('*')) {
        this.#segments.push({ wild: '*' })
      } else {
        this.#segments.push({ literal: this.#word('literal') })
      }
    } while (this.#take('/'))
  }

  #readVariable(): void {
    const end = this.#text.slice(this.#at).search(/[=}]/)
    const field = end < 0 ? '' : this.#text.slice(this.#at, this.#at + end)
    if (!fieldForm.test(field)) this.#fail(`"${field}" is not a field path`)
    this.#at += end
    const from = this.#segments.length
    if (this.#take('=')) this.#readSegments(true)
    else this.#segments.push({ wild: '*' })
    if (!this.#take('}')) this.#fail('a variable is not closed')
    const own = this.#segments.slice(from)
    const last = own.at(-1) as TemplateSegment
    const single = own.length === 1 && 'wild' in last && last.wild === '*'
    const to = 'wild' in last && last.wild === '**' ? Number.POSITIVE_INFINITY : this.#segments.length
    this.#variables.push({ field, from, to, multi: !single })
  }

  #word(what: string): string {
    const rest = this.#text.slice(this.#at)
    const end = rest.search(/[/:{}*]/)
    const word = end < 0 ? rest : rest.slice(0, end)
    if (!literalForm.test(word)) this.#fail(`"${word}" is no ${what}`)
    this.#at += word.length
    return word
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  #fail(why: string): never {
    throw new TypeError(`Cannot route ${this.#text}: ${why}`)
  }
}
