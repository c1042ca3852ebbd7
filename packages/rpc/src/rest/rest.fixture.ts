import { create } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import { createHttpServer, type HttpServer, type HttpServerOptions } from '@plinth/http'
import {
  type Book,
  BookSchema,
  type ListBooksRequest,
  ShelfService,
  type UpdateBookRequest,
  type WriteFileRequest,
} from '../../contract/gen/plinth/rpc/shelf/v1/shelf_pb.ts'
import { bindService } from '../bind-service.ts'
import type { CallContext } from '../call.ts'
import { createDispatcher } from '../dispatch.ts'
import { standardInterceptors } from '../interceptors/standard.ts'
import { mountRest, type RestOptions } from './mount-rest.ts'

/** What the shelf saw of its last call, and how it is made to behave. */
export interface Shelf {
  request: unknown
  context: CallContext | undefined
  /** Streams wait for it before each message. */
  gate: Promise<void>
  /** Messages that streams have given so far. */
  yielded: number
  /** Settles with how the last stream ended. */
  streamEnded: PromiseWithResolvers<string>
  book: Book
}

/** A server with the shelf mounted; closing it frees everything. */
export interface ShelfServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly shelf: Shelf
  readonly server: HttpServer
}

/** Starts the test service behind the whole chain, on a port of its own. */
export async function startShelf(options: RestOptions = {}, http: HttpServerOptions = {}): Promise<ShelfServer> {
  const shelf: Shelf = {
    request: undefined,
    context: undefined,
    gate: Promise.resolve(),
    yielded: 0,
    streamEnded: Promise.withResolvers(),
    book: create(BookSchema, { bookId: '7', title: 'Emma', priceMinor: 999n, etag: 'v1' }),
  }
  const server = createHttpServer({ ...http, port: 0 })
  const interceptors = standardInterceptors({
    authenticator: {
      authenticate(headers) {
        const token = headers.get('authorization')
        if (token === undefined) return undefined
        if (token === 'Bearer good') return { id: 'u1', roles: ['customer'] }
        throw new PlatformError('The token is not valid', { kind: 'unauthenticated', code: 'test.bad_token' })
      },
    },
  })
  mountRest(server, createDispatcher([bindService(ShelfService, implement(shelf))], interceptors), options)
  const { url, port } = await server.listen()
  return { url, port, shelf, server, [Symbol.asyncDispose]: () => server.close() }
}

function implement(shelf: Shelf) {
  const see = (request: unknown, context: CallContext) => {
    shelf.request = request
    shelf.context = context
    return shelf.book
  }
  const ignored = (request: unknown, context: CallContext) => {
    see(request, context)
    return {}
  }
  return {
    getBook(request: { bookId: string }, context: CallContext) {
      see(request, context)
      if (request.bookId === 'missing') {
        throw new PlatformError('No such book', { kind: 'not_found', code: 'shelf.book_unknown' })
      }
      if (request.bookId === 'bug') throw new Error('secret')
      context.responseHeaders.set('x-shelf', 'A')
      context.responseHeaders.set('content-length', '1')
      context.responseHeaders.set('x-bad', 'a\r\nb: c')
      return shelf.book
    },
    listBooks(request: ListBooksRequest, context: CallContext) {
      see(request, context)
      return { books: Array.from({ length: request.pageSize }, () => shelf.book) }
    },
    createBook: see,
    updateBook: (request: UpdateBookRequest, context: CallContext) => see(request, context),
    deleteBook: ignored,
    purgeBook: ignored,
    lendBook: see,
    listTitles(request: unknown, context: CallContext) {
      see(request, context)
      return { titles: ['Emma', 'Persuasion'] }
    },
    readFile(request: { path: string }, context: CallContext) {
      see(request, context)
      return { contentType: 'text/plain; charset=utf-8', data: Buffer.from(`file ${request.path}`) }
    },
    writeFile(request: WriteFileRequest, context: CallContext) {
      see(request, context)
      return { bytes: BigInt(request.content?.data.byteLength ?? 0) }
    },
    echo(request: { contentType: string; data: Uint8Array }) {
      return { contentType: request.contentType, data: request.data }
    },
    async *watchBooks(request: { count: number; fail: boolean }, context: CallContext) {
      let ending = 'left'
      try {
        for (let sequence = 1; sequence <= request.count; sequence++) {
          await shelf.gate
          shelf.yielded++
          yield { sequence: BigInt(sequence), book: shelf.book }
          if (context.signal.aborted) break
        }
        if (request.fail) throw new PlatformError('The shelf fell', { kind: 'unavailable', code: 'shelf.fell' })
        ending = 'done'
      } finally {
        shelf.streamEnded.resolve(ending)
      }
    },
    async *download(request: { path: string }) {
      for (const part of request.path.split('/')) yield { contentType: 'text/csv', data: Buffer.from(`${part}\n`) }
    },
  }
}
