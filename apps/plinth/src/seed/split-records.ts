/** A part of a file that can be read by itself. */
export interface Piece {
  readonly text: string
  readonly records: number
  /** Add it to a line of this piece for the line of the whole file. */
  readonly lineOffset: number
}

/**
 * Cuts JSONL or CSV into pieces of at most `recordsMax` records, never inside a quoted field. Every piece of CSV begins
 * with the heading of the file. Blank lines are kept, so that lines can be counted.
 */
export function splitRecords(
  text: string,
  { recordsMax, isCsv }: { readonly recordsMax: number; readonly isCsv: boolean },
): readonly Piece[] {
  const records = [...recordsOf(text, isCsv)]
  const heading = isCsv ? records.shift() : undefined
  const headingText = heading?.text ?? ''
  const headingLines = heading?.lines ?? 0
  const pieces: Piece[] = []
  let line = headingLines
  for (let start = 0; start < records.length; start += recordsMax) {
    const part = records.slice(start, start + recordsMax)
    const body = part.map((record) => record.text).join('')
    pieces.push({ text: headingText + body, records: part.length, lineOffset: line - headingLines })
    line += part.reduce((sum, { lines }) => sum + lines, 0)
  }
  return pieces
}

/** Records with their line ends. In CSV a line end between quotes belongs to the field. */
function* recordsOf(text: string, isCsv: boolean): Generator<{ readonly text: string; readonly lines: number }> {
  let start = 0
  let at = 0
  let lines = 0
  let quotes = 0
  while (at < text.length) {
    const end = text.indexOf('\n', at)
    const next = end < 0 ? text.length : end + 1
    lines++
    if (isCsv) for (let i = text.indexOf('"', at); i >= 0 && i < next; i = text.indexOf('"', i + 1)) quotes++
    at = next
    if (quotes % 2 === 1 && at < text.length) continue
    yield { text: text.slice(start, at), lines }
    start = at
    lines = 0
    quotes = 0
  }
}
