import type { EventEmitter } from 'node:events'
import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import type {
  Server,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js'
import { type Clock, fromUnknown, PlatformError } from '@plinth/base'
import { cancelledError, deadlineError } from '@plinth/concurrency'
import { methodName } from '../bind-service.ts'
import { createCallContext, type OpenCall } from '../call-scope.ts'
import type { BoundMethod } from '../dispatch.ts'
import { drainingError } from '../faults.ts'
import { checkHeaders } from '../headers.ts'
import { raceStream } from '../race-stream.ts'
import { asBuffer, malformed, plainBytes, readMessages, sameBytes, writeMessage } from './message-stream.ts'
import { headersToMetadata, metadataToHeaders } from './metadata.ts'
import { faultToStatus } from './status.ts'

/** What the methods of one server share. */
export interface ServedCalls {
  readonly clock: Clock
  /** The calls under way. */
  readonly open: Set<OpenCall>
  /** Whether the server is going down. */
  draining: boolean
}

/** Whether a call may go on for as long as its caller likes: no drain could wait for it. */
export function isEndless({ method }: OpenCall): boolean {
  return method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming'
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>
type StreamCall = ServerDuplexStream<Buffer, Buffer>
type AnyCall = UnaryCall | StreamCall | ServerReadableStream<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>

/** Registers a bound method with a gRPC server; grpc-js sees bytes, decoding and encoding happen here. */
export function serveMethod(server: Server, bound: BoundMethod, calls: ServedCalls): void {
  const path = `/${methodName(bound.method)}`
  switch (bound.method.methodKind) {
    case 'unary':
      server.register(path, unaryHandler(bound, calls) as never, sameBytes, sameBytes, 'unary')
      return
    case 'server_streaming':
      server.register(path, answerStream(bound, calls) as never, sameBytes, sameBytes, 'serverStream')
      return
    case 'client_streaming':
      server.register(path, answerOnce(bound, calls) as never, sameBytes, sameBytes, 'clientStream')
      return
    case 'bidi_streaming':
      server.register(path, answerStream(bound, calls) as never, sameBytes, sameBytes, 'bidi')
  }
}

const transitMsMax = 20

function openCall(bound: BoundMethod, call: AnyCall, calls: ServedCalls): OpenCall {
  const deadline = Number(call.getDeadline())
  const context = createCallContext({
    method: bound.method,
    transport: 'grpc',
    requestHeaders: () => metadataToHeaders(call.metadata),
    peer: call.getPeer(),
    clock: calls.clock,
    deadlineMs: deadline === Infinity ? Infinity : calls.clock.monotonicMs() + (deadline - calls.clock.nowMs()),
  })
  calls.open.add(context)
  // A caller hangs up at its own deadline, which is ahead of ours by the time its request was under way.
  ;(call as EventEmitter).on('cancelled', () => {
    context.cancel(context.remainingMs() <= transitMsMax ? deadlineError() : cancelledError())
  })
  return context
}

function reader(bound: BoundMethod): (bytes: Buffer) => Message {
  const schema = bound.method.input
  return (bytes) => {
    try {
      return fromBinary(schema, plainBytes(bytes))
    } catch (error) {
      throw malformed(`a ${schema.typeName}`, error)
    }
  }
}

function sendHeaders(call: AnyCall, context: OpenCall): void {
  if (context.responseHeaders.size === 0) return
  checkHeaders(context.responseHeaders)
  call.sendMetadata(headersToMetadata(context.responseHeaders))
}

function unaryHandler(bound: BoundMethod, calls: ServedCalls) {
  const read = reader(bound)
  const schema = bound.method.output
  return (call: UnaryCall, answer: sendUnaryData<Buffer>): void => {
    let request: Message
    try {
      request = read(call.request)
    } catch (error) {
      answer(faultToStatus(error))
      return
    }
    const context = openCall(bound, call, calls)
    bound.unary(request, context).then(
      (message) => {
        calls.open.delete(context)
        try {
          const bytes = asBuffer(toBinary(schema, message))
          sendHeaders(call, context)
          answer(null, bytes)
        } catch (error) {
          answer(faultToStatus(error))
        }
      },
      (error: unknown) => {
        calls.open.delete(context)
        answer(faultToStatus(error))
      },
    )
  }
}

function requestsOf(bound: BoundMethod, call: AnyCall, context: OpenCall): AsyncIterable<Message> {
  const read = reader(bound)
  // A stream of one answer kind carries its request beside it; one that reads ends with the call even if it is silent.
  if (bound.method.methodKind === 'server_streaming') return one(() => read((call as UnaryCall).request))
  return raceStream(readMessages(call as StreamCall, read), context, () => {})
}

async function* one<T>(value: () => T): AsyncGenerator<T> {
  yield value()
}

function answerOnce(bound: BoundMethod, calls: ServedCalls) {
  const schema = bound.method.output
  return async (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>): Promise<void> => {
    const context = openCall(bound, call, calls)
    try {
      for await (const message of bound.stream(requestsOf(bound, call, context), context)) {
        sendHeaders(call, context)
        answer(null, asBuffer(toBinary(schema, message)))
        return
      }
      throw new PlatformError(`${methodName(bound.method)} gave no answer`, { kind: 'internal', code: 'rpc.no_answer' })
    } catch (error) {
      answer(faultToStatus(error))
    } finally {
      calls.open.delete(context)
      // What the caller still sends is read and dropped, or its half of the stream would never close.
      call.resume()
    }
  }
}

function answerStream(bound: BoundMethod, calls: ServedCalls) {
  const schema = bound.method.output
  return async (call: StreamCall): Promise<void> => {
    const context = openCall(bound, call, calls)
    const isOver = () => context.cancelReason !== undefined
    let headersSent = false
    if (calls.draining) context.cancel(drainingError())
    try {
      for await (const message of bound.stream(requestsOf(bound, call, context), context)) {
        if (!headersSent) {
          headersSent = true
          sendHeaders(call, context)
        }
        await writeMessage(call, asBuffer(toBinary(schema, message)), isOver)
        if (isOver()) throw fromUnknown(context.cancelReason)
      }
      if (!headersSent) sendHeaders(call, context)
      call.end()
    } catch (error) {
      call.emit('error', faultToStatus(error))
    } finally {
      calls.open.delete(context)
      if (bound.method.methodKind === 'bidi_streaming') call.resume()
    }
  }
}
