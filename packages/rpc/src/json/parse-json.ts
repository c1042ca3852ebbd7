import { isUtf8 } from 'node:buffer'
import { PlatformError } from '@plinth/base'

/**
 * Parses the bytes of a JSON document. Bytes that are not UTF-8 are refused, never replaced.
 *
 * @throws PlatformError of kind `invalid`, code `rpc.invalid_json`.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw invalidJson('it is not UTF-8')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    // The engine quotes the input where it stumbled, which may be a password: only the position goes out.
    const at = /position (\d+)/.exec((error as Error).message)?.[1]
    throw invalidJson(at === undefined ? 'it ends too early or is no JSON' : `it is no JSON at position ${at}`)
  }
}

function invalidJson(why: string): PlatformError {
  return new PlatformError(`Cannot read the body: ${why}`, { kind: 'invalid', code: 'rpc.invalid_json' })
}
