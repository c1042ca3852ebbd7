import { type Cell, createStyle, type Style, table } from './text.ts'

/** How a command was asked to speak. */
export interface TerminalOptions {
  /** One JSON document, or one a line for streams. */
  readonly json?: boolean | undefined
  /** No notes and no progress; answers shrink to what a script wants. */
  readonly quiet?: boolean | undefined
}

/** Where commands write. Answers go to stdout, everything about getting them to stderr. */
export interface Terminal {
  readonly json: boolean
  /** An answer for machines when `--json` is given, else lines for people; `brief` is for `--quiet`. */
  answer(value: unknown, lines: () => readonly string[], brief?: () => readonly string[]): void
  /** One thing of a stream: a line of JSON, or a line for people. */
  item(value: unknown, line: () => string): void
  /** A line about the work under way; silent with `--json`, `--quiet` and when nobody watches. */
  progress(line: string): void
  /** Ends the line of progress. */
  done(): void
  /** A note for people on stderr; silent with `--quiet`. */
  note(line: string): void
  /** What went wrong, on stderr, always. */
  complain(line: string): void
  /** Rows as columns that fit the screen; the first row is the heading. */
  columns(rows: readonly (readonly Cell[])[]): readonly string[]
  /** For what goes to stdout. */
  readonly style: Style
  /** For what goes to stderr. */
  readonly noteStyle: Style
}

/** The streams of a terminal, and the variables that say how it likes its text. */
export interface TerminalStreams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Makes the terminal of a command. */
export function createTerminal(streams: TerminalStreams, options: TerminalOptions): Terminal {
  const { stdout, stderr, environment } = streams
  const json = options.json === true
  const quiet = options.quiet === true
  const style = createStyle(!json && wantsColors(stdout, environment))
  let open = false
  const done = () => {
    if (open) stderr.write('\n')
    open = false
  }
  const complain = (line: string) => {
    done()
    stderr.write(`${line}\n`)
  }
  return {
    json,
    answer(value, lines, brief = lines) {
      done()
      const text = json ? [toJson(value, 2)] : quiet ? brief() : lines()
      if (text.length > 0) stdout.write(`${text.join('\n')}\n`)
    },
    item(value, line) {
      done()
      stdout.write(`${json ? toJson(value) : line()}\n`)
    },
    progress(line) {
      if (json || quiet || !stderr.isTTY) return
      stderr.write(`\r\u001b[K${line}`)
      open = true
    },
    done,
    note(line) {
      if (!quiet) complain(line)
    },
    complain,
    columns([heading = [], ...rows]) {
      const emphasised = heading.map((cell) => style.dim(String(cell)))
      return table([emphasised, ...rows], { width: stdout.isTTY ? stdout.columns : undefined })
    },
    style,
    noteStyle: createStyle(wantsColors(stderr, environment)),
  }
}

/** NO_COLOR wins over FORCE_COLOR, as no-color.org asks; else a terminal decides. */
function wantsColors(stream: NodeJS.WriteStream, environment: TerminalStreams['environment']): boolean {
  if ((environment.NO_COLOR ?? '') !== '') return false
  const forced = environment.FORCE_COLOR
  if (forced !== undefined && forced !== '') return forced !== '0'
  return stream.isTTY === true && environment.TERM !== 'dumb'
}

/** JSON of anything an answer may hold: whole numbers beyond 2^53 as text, as proto3 JSON has them. */
function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item), indent)
}
