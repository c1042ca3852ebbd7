import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What the relay does with bytes on their way to the server. */
export type Cut = 'pass' | 'before' | 'after'

/** A relay in front of a server that cuts connections where a test wants them cut. */
export interface TcpRelay extends AsyncDisposable {
  readonly port: number
  /** Says for each piece on its way to the server whether to pass it, or to cut before or after it arrives. */
  decide(rule: (piece: Buffer) => Cut): void
}

/** Starts a relay on a free port of 127.0.0.1. */
export async function startTcpRelay(target: { readonly host: string; readonly port: number }): Promise<TcpRelay> {
  let rule: (piece: Buffer) => Cut = () => 'pass'
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.end()
      })
    }
    near.on('data', (piece: Buffer) => {
      const cut = rule(piece)
      if (cut !== 'before') far.write(piece)
      if (cut !== 'pass') near.destroy()
    })
    far.on('data', (piece) => near.write(piece))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    decide(next) {
      rule = next
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
