/**
 * Where finished lines go. A sink never throws into the code that logs and never makes it wait: what it cannot take
 * it drops and counts.
 */
export interface LogSink extends AsyncDisposable {
  /** Takes one line, its newline included. Lines leave in the order they came. */
  write(line: string): void
  /** Resolves when everything taken before the call is written or counted as lost. Never rejects. */
  flush(): Promise<void>
  /** The same at once, for a process that is about to end. */
  flushSync(): void
  /** Lines lost since the sink was made. */
  readonly dropped: number
  /** Hears how many lines were lost once lines get through again; the logger writes that number as a record. */
  onLoss(listener: (lost: number) => void): void
}
