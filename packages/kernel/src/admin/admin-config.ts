import { defineConfig } from '../config/define-config.ts'
import { integer, string } from '../config/fields.ts'
import { bytes, durationMs } from '../config/measured-fields.ts'

/** Where the admin server listens. */
export const adminConfig = defineConfig(
  'admin',
  {
    host: string({
      default: '127.0.0.1',
      charsMin: 1,
      charsMax: 255,
      restart: true,
      describe: 'Address the admin server listens on',
    }),
    port: integer({
      default: 9091,
      min: 0,
      max: 65_535,
      restart: true,
      describe: 'Port of the admin server; 0 takes a free one',
    }),
    connectionsMax: integer({
      default: 64,
      min: 1,
      max: 1024,
      restart: true,
      describe: 'Connections at once; further ones are closed',
    }),
    requestTimeoutMs: durationMs({
      default: '5s',
      min: '100ms',
      max: '1m',
      restart: true,
      describe: 'Time to receive a request',
    }),
    headerBytesMax: bytes({
      default: '8KiB',
      min: '1KiB',
      max: '64KiB',
      restart: true,
      describe: 'Size of all headers of a request',
    }),
  },
  { describe: 'Health probes and metrics over HTTP, for machines' },
)

/** Times of starting and stopping. */
export const lifecycleConfig = defineConfig(
  'lifecycle',
  {
    startTimeoutMs: durationMs({
      default: '1m',
      min: '1s',
      max: '1h',
      restart: true,
      describe: 'Time for the whole start',
    }),
    stopTimeoutMs: durationMs({
      default: '10s',
      min: '100ms',
      max: '1h',
      restart: true,
      describe: 'Time for the whole stop; what runs on then is left behind',
    }),
    preStopWaitMs: durationMs({
      default: 0,
      max: '10m',
      restart: true,
      describe: 'Wait after readiness is off, for load balancers; 0 on a terminal, about 5s in Kubernetes',
    }),
  },
  { describe: 'Times of starting and stopping' },
)
