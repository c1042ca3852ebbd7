/**
 * Which floor each package lives on. An import goes down, and sideways only where an arrow is listed. What is not
 * listed here may not exist: a new package begins with a line here and in ARCHITECTURE.md.
 */
export const floors: ReadonlyMap<string, number> = new Map(
  [
    ['base'],
    ['concurrency', 'memory', 'codec'],
    ['resilience', 'cache', 'query', 'telemetry'],
    ['net', 'http', 'data', 'security'],
    ['rpc', 'messaging', 'eventsourcing'],
    ['kernel', 'lab', 'sim'],
  ].flatMap((names, floor) => names.map((name) => [name, floor] as const)),
)

/** Packages on one floor of which the first may import the second. */
export const arrows: ReadonlySet<string> = new Set([
  'concurrency > memory',
  'codec > memory',
  'http > net',
  'eventsourcing > messaging',
])

/** Lower packages that a package has no business with, and what it does instead. */
export const forbidden: ReadonlyMap<string, string> = new Map([
  ['rpc > data', 'a handler reaches data through its service'],
  ['messaging > http', 'the bus is a port; its HTTP face belongs to a service'],
  ['query > concurrency', 'query is pure: it compiles to text and parameters'],
])

/** The services of the house. */
export const services: ReadonlySet<string> = new Set(
  (
    'identity catalog orders payments ledger booking notifications support flags media analytics logs metrics ' +
    'devices crawler events'
  ).split(' '),
)

/** Dead ends: nothing that ships imports them. */
export const deadEnds: ReadonlySet<string> = new Set(['lab', 'sim'])

/** Packages below this floor announce on diagnostics_channel and never import telemetry. */
export const loggingFloor = 5
