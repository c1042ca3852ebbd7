import { createServer } from 'node:net'
import { PlatformError } from '@plinth/base'
import { adminConfig, type Configuration } from '@plinth/kernel'
import { grpcConfig, httpConfig } from '../host/config.ts'

/** A place where a shop listens. */
export interface ListenPort {
  readonly name: 'http' | 'grpc' | 'admin'
  readonly host: string
  readonly port: number
}

/** Where a shop of this configuration listens. */
export function readPorts(configuration: Configuration): readonly ListenPort[] {
  const { host: http, port: httpPort } = configuration.section(httpConfig).current
  const { host: grpc, port: grpcPort } = configuration.section(grpcConfig).current
  const { host: admin, port: adminPort } = configuration.section(adminConfig).current
  return [
    { name: 'http', host: http, port: httpPort },
    { name: 'grpc', host: grpc, port: grpcPort },
    { name: 'admin', host: admin, port: adminPort },
  ]
}

/** The code of the system's error when nobody can listen there now; undefined when it is free. */
export function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(undefined)))
  })
}

/**
 * Looks at all ports before anything starts, so that a person reads one sentence and no log of a failed start.
 *
 * @throws PlatformError `plinth.port_taken` (precondition) naming each.
 */
export async function refuseTakenPorts(ports: readonly ListenPort[]): Promise<void> {
  const failures = await Promise.all(ports.map(({ host, port }) => (port === 0 ? undefined : tryListen(host, port))))
  const taken = ports.filter((_, at) => failures[at] === 'EADDRINUSE')
  if (taken.length === 0) return
  const names = taken.map(({ name, port }) => `${port} (${name})`)
  throw new PlatformError(`Cannot open the shop: port ${names.join(' and ')} is taken`, {
    kind: 'precondition',
    code: 'plinth.port_taken',
    details: { ports: taken.map(({ port }) => port) },
  })
}
