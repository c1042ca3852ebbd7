import { inspect } from 'node:util'

/** One line of what a test file tells the runner. */
export type ReportLine =
  | { readonly is: 'passed'; readonly name: string }
  | { readonly is: 'skipped'; readonly name: string; readonly reason: string }
  | { readonly is: 'failed'; readonly name: string; readonly error: string }
  /** Written last: without it the process ended before its tests did. */
  | { readonly is: 'end' }

interface TestEvent {
  readonly type: string
  readonly data: {
    readonly name: string
    readonly nesting: number
    readonly skip?: string | boolean
    readonly todo?: string | boolean
    readonly details?: { readonly type?: string; readonly error?: Error & { readonly failureType?: string } }
  }
}

/** Turns the events of node:test into JSON lines. Node demands a default export of a reporter. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const path: string[] = []
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      path.length = data.nesting
      path.push(data.name)
    } else if (type === 'test:pass' || type === 'test:fail') {
      const line = toLine(type, data, [...path.slice(0, data.nesting), data.name].join(' › '))
      if (line) yield `${JSON.stringify(line)}\n`
    }
  }
  yield `${JSON.stringify({ is: 'end' } satisfies ReportLine)}\n`
}

function toLine(type: string, data: TestEvent['data'], name: string): ReportLine | undefined {
  if (data.skip !== undefined && data.skip !== false) {
    return { is: 'skipped', name, reason: data.skip === true || data.skip === '' ? 'no reason given' : data.skip }
  }
  if (data.todo !== undefined && data.todo !== false) return { is: 'skipped', name, reason: `to do: ${data.todo}` }
  if (type === 'test:pass') return data.details?.type === 'suite' ? undefined : { is: 'passed', name }
  const error = data.details?.error
  // The tests inside have been reported one by one.
  if (error?.failureType === 'subtestsFailed') return undefined
  return { is: 'failed', name, error: inspect(error?.cause ?? error, { depth: 4 }) }
}
