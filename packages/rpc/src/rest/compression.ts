import { promisify } from 'node:util'
import { brotliCompress, constants, gzip, zstdCompress } from 'node:zlib'

/** Codings this server writes, the preferred first: at like size zstd costs the least time. */
const codings = ['zstd', 'br', 'gzip'] as const
export type Coding = (typeof codings)[number]

const compressors = {
  zstd: promisify(zstdCompress),
  br: promisify(brotliCompress),
  gzip: promisify(gzip),
}
const settings = {
  zstd: { params: { [constants.ZSTD_c_compressionLevel]: 3 } },
  br: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
  gzip: { level: 6 },
}

/** The best coding that `Accept-Encoding` takes; undefined for none (RFC 9110, section 12.5.3). */
export function chooseCoding(acceptEncoding: string | undefined): Coding | undefined {
  if (acceptEncoding === undefined || acceptEncoding === '') return undefined
  const weights = new Map<string, number>()
  for (const part of acceptEncoding.toLowerCase().split(',', 20)) {
    const [name = '', ...parameters] = part.split(';')
    const weight = parameters.map((p) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(p)?.[1]).find((q) => q !== undefined)
    weights.set(name.trim(), weight === undefined ? 1 : Number(weight))
  }
  const weightOf = (coding: string) => weights.get(coding) ?? weights.get('*') ?? 0
  let best: Coding | undefined
  for (const coding of codings) if (weightOf(coding) > (best ? weightOf(best) : 0)) best = coding
  return best
}

/** Compresses bodies off the main thread, so many at a time; the rest goes out as it is. */
export interface Compressor {
  /** Bytes from which compressing is worth its cost. */
  readonly bytesMin: number
  /** The compressed body, or undefined when too many are under way already. */
  compress(body: string | Uint8Array, coding: Coding): Promise<Uint8Array> | undefined
}

export function createCompressor(options: { readonly bytesMin: number; readonly atOnceMax: number }): Compressor {
  let underWay = 0
  return {
    bytesMin: options.bytesMin,
    compress(body, coding) {
      if (underWay >= options.atOnceMax) return undefined
      underWay++
      return compressors[coding](body, settings[coding]).finally(() => {
        underWay--
      })
    },
  }
}
