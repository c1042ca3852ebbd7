import { Metadata, type MetadataOptions } from '@grpc/grpc-js'
import type { CallHeaders } from '../call.ts'

/** Headers as gRPC metadata. They were checked before: names and values that gRPC refuses do not get here. */
export function headersToMetadata(headers: CallHeaders | undefined, options?: MetadataOptions): Metadata {
  const metadata = new Metadata(options)
  if (headers) for (const [name, value] of headers) metadata.set(name, value)
  return metadata
}

/** The textual entries of gRPC metadata; of several values of one name the last one. Binary entries stay behind. */
export function metadataToHeaders(metadata: Metadata): CallHeaders {
  const headers: CallHeaders = new Map()
  for (const name of Object.keys(metadata.getMap())) {
    if (transportHeaders.has(name) || name.endsWith('-bin')) continue
    const value = metadata.get(name).at(-1)
    if (typeof value === 'string') headers.set(name, value)
  }
  return headers
}

/** What the protocol adds by itself and no handler asked for. */
const transportHeaders = new Set([
  'user-agent',
  'te',
  'content-type',
  'grpc-accept-encoding',
  'accept-encoding',
  'date',
])
