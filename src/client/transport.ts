/** The seam between the protocol and what carries its bytes, and the carrier for every runtime: WebSocket. */

/** Carries bytes to one server and back. Used once: it opens, carries and ends. */
export interface Transport {
  /** Sends whole frames, one or more. Called only after `opened`. */
  send(frames: Uint8Array): void
  /**
   * Asks the far end for a sign of life, which arrives as an empty `receive`. False when the carrier has no such thing:
   * then the protocol sends a ping of its own.
   */
  ping(): boolean
  /** Ends it at once. No event follows. */
  abort(): void
}

/** What a transport tells: `opened` once, then `receive` any number of times, then `ended` once. */
export interface TransportEvents {
  opened(): void
  /** Bytes as they come, cut anywhere. Empty: only a sign of life. */
  receive(bytes: Uint8Array): void
  ended(reason: string): void
}

/** Begins to open a transport and returns it. No event may come before it returns. */
export type Dial = (url: string, events: TransportEvents) => Transport

/**
 * Binary messages carry frames. The text `ping` is answered with `pong` by the platform itself, so that a hibernating
 * session actor sleeps on; a ZooKeeper ping would wake it.
 */
export const webSocket: Dial = (url, events) => {
  const socket = new WebSocket(url)
  let over = false
  const end = (reason: string) => {
    if (over) return
    over = true
    events.ended(reason)
  }
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => {
    if (!over) events.opened()
  })
  socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | string>) => {
    if (over) return
    events.receive(typeof data === 'string' ? nothing : new Uint8Array(data))
  })
  socket.addEventListener('close', ({ code, reason }) => end(`closed: ${code} ${reason}`.trim()))
  socket.addEventListener('error', () => end('the WebSocket failed'))
  return {
    send: (frames) => socket.send(frames as Uint8Array<ArrayBuffer>),
    ping() {
      socket.send('ping')
      return true
    },
    abort() {
      over = true
      socket.close()
    },
  }
}

const nothing = new Uint8Array(0)
