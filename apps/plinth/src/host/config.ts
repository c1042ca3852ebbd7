import { bytes, choice, defineConfig, durationMs, integer, list, number, secret, string } from '@plinth/kernel'

/** Where things are kept and by which engine. */
export const dataConfig = defineConfig(
  'data',
  {
    dir: string({ default: '.plinth', charsMin: 1, restart: true, describe: 'Folder of databases, log and keys' }),
    engine: choice({
      of: ['sqlite', 'postgres'],
      default: 'sqlite',
      restart: true,
      describe: 'SQL engine of all services',
    }),
    postgresUrl: secret({ optional: true, restart: true, describe: 'postgres://user:password@host/database' }),
    postgresSchemaPrefix: string({
      default: 'plinth_',
      pattern: /^[a-z][a-z0-9_]{0,39}$/,
      restart: true,
      describe: 'Each service has the schema of this prefix and its name; another prefix is another shop',
    }),
    connectionsMax: integer({
      default: 10,
      min: 1,
      max: 500,
      restart: true,
      describe: 'PostgreSQL connections of each service',
    }),
  },
  { describe: 'Storage' },
)

/** The edge for REST, the reference and files. */
export const httpConfig = defineConfig(
  'http',
  {
    host: string({ default: '127.0.0.1', charsMin: 1, charsMax: 255, restart: true, describe: 'Address of the edge' }),
    port: integer({
      default: 8080,
      min: 0,
      max: 65_535,
      restart: true,
      describe: 'Port of the edge; 0 takes a free one',
    }),
    connectionsMax: integer({ default: 10_000, min: 1, max: 100_000, restart: true, describe: 'Connections at once' }),
    bodyBytesMax: bytes({
      default: '1MiB',
      min: '1KiB',
      max: '64MiB',
      restart: true,
      describe: 'Size of a body, where the contract does not say otherwise',
    }),
    drainTimeoutMs: durationMs({
      default: '5s',
      min: '100ms',
      max: '5m',
      restart: true,
      describe: 'Wait for requests under way when stopping',
    }),
    corsOrigins: list({
      default: [],
      restart: true,
      describe: 'Origins whose pages may call the API; none by default',
    }),
  },
  { describe: 'The HTTP edge' },
)

/** Calls by gRPC. */
export const grpcConfig = defineConfig(
  'grpc',
  {
    host: string({ default: '127.0.0.1', charsMin: 1, charsMax: 255, restart: true, describe: 'Address for gRPC' }),
    port: integer({ default: 9090, min: 0, max: 65_535, restart: true, describe: 'Port for gRPC; 0 takes a free one' }),
  },
  { describe: 'The gRPC edge' },
)

/** Bounds of all calls. */
export const rpcConfig = defineConfig(
  'rpc',
  {
    deadlineMs: durationMs({
      default: '30s',
      min: '100ms',
      max: '1h',
      restart: true,
      describe: 'Time for a call that brings no deadline',
    }),
    callsMax: integer({ default: 2000, min: 1, max: 1_000_000, restart: true, describe: 'Calls under way at once' }),
    accessLog: choice({
      of: ['all', 'failed'],
      default: 'failed',
      restart: true,
      describe: 'Which calls get a line in the log; slow ones always do',
    }),
    slowMs: durationMs({ default: '1s', min: '1ms', max: '1h', restart: true, describe: 'From when a call is slow' }),
  },
  { describe: 'Calls' },
)

/** What is written to the log. */
export const logConfig = defineConfig(
  'log',
  {
    level: choice({
      of: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'off'],
      default: 'info',
      describe: 'Lowest level that is written',
    }),
    format: choice({
      of: ['auto', 'json', 'readable'],
      default: 'auto',
      restart: true,
      describe: 'auto: readable on a terminal, else JSON',
    }),
    traceRatio: number({ default: 0.05, min: 0, max: 1, restart: true, describe: 'Share of traces that are recorded' }),
  },
  { describe: 'Logs and traces' },
)

/** What several processes of one shop share. */
export const clusterConfig = defineConfig(
  'cluster',
  {
    secret: secret({
      optional: true,
      charsMin: 32,
      restart: true,
      describe: 'Proves to each other that processes belong together; made in the data folder when not given',
    }),
    peers: list({
      default: [],
      restart: true,
      describe: 'Services in other processes and where their gRPC port is: service=host:port',
    }),
  },
  { describe: 'The shop as several processes' },
)
