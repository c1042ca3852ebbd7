import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Connection {
  /** Requests read whose answers are not yet complete; more than one when a client pipelines. */
  underWay: Set<ServerResponse>
  /** What had been read when the connection was last idle: more means that a request is on its way in. */
  bytesReadIdle: number
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
   * From now on every answer says `Connection: close`, idle connections are closed at once and others when their
   * answer is complete. Resolves when none is left.
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
    connection.underWay.delete(this)
    connection.bytesReadIdle = socket.bytesRead
    if (finished && connection.underWay.size === 0) socket.end(() => socket.destroy())
  }

  return {
    get open() {
      return sockets.size
    },
    get underWay() {
      return underWay
    },
    opened(socket) {
      ;(socket as Tracked)[key] = { underWay: new Set(), bytesReadIdle: 0 }
      sockets.add(socket)
      socket.once('close', closed)
    },
    began(response) {
      underWay++
      ;(response.req.socket as Tracked)[key]?.underWay.add(response)
      response.once('close', answered)
      if (finished) response.shouldKeepAlive = false
    },
    finish() {
      finished ??= Promise.withResolvers<void>()
      for (const socket of sockets) {
        const connection = socket[key] as Connection
        for (const response of connection.underWay) response.shouldKeepAlive = false
        // A request half read is a request: its client has been promised nothing else.
        if (connection.underWay.size === 0 && socket.bytesRead <= connection.bytesReadIdle) socket.destroy()
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
