import { wantsColors } from '@plinth/telemetry'

/** Where commands write. Answers go to stdout, everything about getting them to stderr. */
export interface Terminal {
  readonly json: boolean
  /** An answer for machines when `--json` is given, else lines for people. */
  answer(value: unknown, lines: () => readonly string[]): void
  /** A line about the work under way; silent with `--json` and when nobody watches. */
  progress(line: string): void
  /** Ends the line of progress. */
  done(): void
  /** A note for people on stderr. */
  note(line: string): void
  readonly style: Style
}

/** Emphasis that respects NO_COLOR and pipes. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
}

export interface TerminalStreams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly environment: Readonly<Record<string, string | undefined>>
}

export function createTerminal(streams: TerminalStreams, options: { readonly json: boolean }): Terminal {
  const { stdout, stderr, environment } = streams
  const { json } = options
  let open = false
  const done = () => {
    if (open) stderr.write('\n')
    open = false
  }
  return {
    json,
    answer(value, lines) {
      done()
      stdout.write(
        json
          ? `${toJson(value)}\n`
          : lines()
              .map((line) => `${line}\n`)
              .join(''),
      )
    },
    progress(line) {
      if (json || !stderr.isTTY) return
      stderr.write(`\r\u001b[K${line}`)
      open = true
    },
    done,
    note(line) {
      done()
      stderr.write(`${line}\n`)
    },
    style: createStyle(!json && wantsColors(stdout, environment)),
  }
}

/** JSON of anything an answer may hold: whole numbers beyond 2^53 as text, as proto3 JSON has them. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item), 2)
}

function createStyle(colors: boolean): Style {
  const paint = (code: number) => (text: string) => (colors ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { bold: paint(1), dim: paint(2), red: paint(31), green: paint(32), yellow: paint(33) }
}

/** Columns as wide as their widest cell; the last one is free. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<number[]>((widest, row) => {
    for (const [at, cell] of row.entries()) widest[at] = Math.max(widest[at] ?? 0, cell.length)
    return widest
  }, [])
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
