import type { Readable, Writable } from 'node:stream'
import { PlatformError } from '@plinth/base'

/** Reads a gRPC stream without destroying it when the reader stops early: the call may still have an answer to send. */
export async function* readMessages<T>(stream: Readable, decode: (bytes: Buffer) => T): AsyncGenerator<T> {
  for await (const bytes of stream.iterator({ destroyOnReturn: false })) yield decode(bytes as Buffer)
}

/** Writes one message and waits while the stream is full, so that a slow reader slows the writer down. */
export function writeMessage(stream: Writable, bytes: Buffer, isOver: () => boolean): Promise<void> | undefined {
  if (isOver() || stream.write(bytes) || stream.destroyed) return undefined
  return new Promise((resolve) => {
    const done = () => {
      for (const event of wakeEvents) stream.off(event, done)
      resolve()
    }
    for (const event of wakeEvents) stream.on(event, done)
  })
}

/** Whatever may end the wait: room, the end of the call, or its failure, which whoever reads the stream reports. */
const wakeEvents = ['drain', 'close', 'error', 'cancelled', 'end', 'status']

/** The bytes as grpc-js wants them, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The bytes without the class of Node: fields of a decoded message are views of them and would inherit it. */
export function plainBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** For messages that are encoded and decoded by us: grpc-js sees bytes only. */
export function sameBytes(bytes: Buffer): Buffer {
  return bytes
}

/** @throws PlatformError `rpc.message_malformed` */
export function malformed(what: string, cause: unknown): PlatformError {
  return new PlatformError(`Cannot read ${what}: its bytes do not fit its contract`, {
    kind: 'invalid',
    code: 'rpc.message_malformed',
    cause,
  })
}
