import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Connection {
  /** Requests read whose answers are not yet complete; more than one when a client pipelines. */
  underWay: number
  /** The newest of them: it decides whether the connection is kept. */
  newest: ServerResponse | undefined
}

const key = Symbol('plinth.connection')
type Tracked = Socket & { [key]?: Connection }

/** The open connections of a server and what they are doing. */
export interface Connections {
  readonly open: number
  /** Requests whose answers are not yet complete. */
  readonly underWay: number
  opened(socket: Socket): void
  began(response: ServerResponse): void
  /**
   * From now on every answer says `Connection: close`, and connections are closed when their last answer is complete.
   * Called after `close()` of the server, which closes those between two requests. Resolves when none is left.
   */
  finish(): Promise<void>
  /** Cuts what is left; the number of requests cut. */
  cut(): number
}

export function createConnections(): Connections {
  const sockets = new Set<Tracked>()
  let underWay = 0
  let finished: PromiseWithResolvers<void> | undefined

  function closed(this: Socket): void {
    sockets.delete(this)
    if (sockets.size === 0) finished?.resolve()
  }

  // One function for all answers: a closure per request would be garbage per request.
  function answered(this: ServerResponse): void {
    underWay--
    const socket = this.req.socket as Tracked
    const connection = socket[key]
    if (!connection) return
    connection.underWay--
    if (connection.newest === this) connection.newest = undefined
    if (finished && connection.underWay === 0) socket.end(() => socket.destroy())
  }

  return {
    get open() {
      return sockets.size
    },
    get underWay() {
      return underWay
    },
    opened(socket) {
      ;(socket as Tracked)[key] = { underWay: 0, newest: undefined }
      sockets.add(socket)
      socket.once('close', closed)
    },
    began(response) {
      underWay++
      const connection = (response.req.socket as Tracked)[key]
      if (connection) {
        connection.underWay++
        connection.newest = response
      }
      response.on('close', answered)
      if (finished) response.shouldKeepAlive = false
    },
    finish() {
      finished ??= Promise.withResolvers<void>()
      for (const socket of sockets) {
        const connection = socket[key] as Connection
        if (connection.newest) connection.newest.shouldKeepAlive = false
        // Node closes what is idle between requests and leaves what has begun one; it takes a connection that has
        // never said anything for one that is about to.
        if (socket.bytesRead === 0) socket.destroy()
      }
      if (sockets.size === 0) finished.resolve()
      return finished.promise
    },
    cut() {
      const lost = underWay
      for (const socket of sockets) socket.destroy()
      return lost
    },
  }
}
