/** One instance of the service that is called. */
export interface Peer {
  readonly address: string
  /** A connection is up. */
  readonly isReady: boolean
  /** Calls under way to it. */
  readonly openCalls: number
}

/**
 * Chooses the instance for one call. Asked for every call, so it must be quick; it may keep what it learns.
 * `peers` has at least one member and is the same array as long as the addresses are.
 */
export interface Picker {
  pick<P extends Peer>(peers: readonly P[]): P
}

/** One after the other, passing over those without a connection as long as any has one. */
export function createRoundRobinPicker(): Picker {
  let turn = 0
  return {
    pick<P extends Peer>(peers: readonly P[]): P {
      for (let tried = 0; tried < peers.length; tried++) {
        const peer = peers[turn++ % peers.length] as P
        if (peer.isReady) return peer
      }
      return peers[turn++ % peers.length] as P
    },
  }
}
