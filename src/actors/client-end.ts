/** One client's end of its connection, whatever carries it. */
import { limits } from '../core/shared/limits.ts'
import { log } from './log.ts'
import type { TcpConnection } from './tcp-connection.ts'
import type { TrunkEnd } from './trunk-end.ts'

export interface ClientEnd {
  /** When the platform last answered a ping of the client's for us, ms; 0: never. */
  readonly pingedMs: number
  /** Says these frames, each with its length, in order. */
  write(frames: readonly Uint8Array[]): void
  /** Ends the connection behind what was written. */
  hangup(): void
}

/** A WebSocket, which hibernates. */
export class SocketEnd implements ClientEnd {
  readonly socket: WebSocket
  readonly #ctx: DurableObjectState

  constructor(socket: WebSocket, ctx: DurableObjectState) {
    this.socket = socket
    this.#ctx = ctx
  }

  get pingedMs(): number {
    return this.#ctx.getWebSocketAutoResponseTimestamp(this.socket)?.getTime() ?? 0
  }

  write(frames: readonly Uint8Array[]): void {
    try {
      for (const message of messagesOf(frames)) this.socket.send(message)
    } catch (fault) {
      // The client is gone and its close event is on the way, or was lost: the alarm judges the session all the same.
      log('socket.broken', { why: String(fault) })
    }
  }

  hangup(): void {
    this.refuse(1000, 'closed by the ensemble')
  }

  refuse(code: number, why: string): void {
    try {
      this.socket.close(code, why)
    } catch (fault) {
      log('socket.close', { why: String(fault) })
    }
  }
}

/** A TCP stream of its own. */
export class StreamEnd implements ClientEnd {
  readonly pingedMs = 0
  readonly #tcp: TcpConnection

  constructor(tcp: TcpConnection) {
    this.#tcp = tcp
  }

  write(frames: readonly Uint8Array[]): void {
    this.#tcp.write(joined(frames))
  }

  hangup(): void {
    this.#tcp.close()
  }
}

/** One of many that come by a trunk. */
export class TrunkedEnd implements ClientEnd {
  readonly pingedMs = 0
  readonly #trunk: TrunkEnd
  /** Its number there. */
  readonly #client: number

  constructor(trunk: TrunkEnd, client: number) {
    this.#trunk = trunk
    this.#client = client
  }

  write(frames: readonly Uint8Array[]): void {
    this.#trunk.write(this.#client, frames)
  }

  hangup(): void {
    this.#trunk.hangup(this.#client)
  }
}

function joined(frames: readonly Uint8Array[]): Uint8Array {
  const only = frames.length === 1 ? frames[0] : undefined
  if (only !== undefined) return only
  let length = 0
  for (const frame of frames) length += frame.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const frame of frames) {
    bytes.set(frame, at)
    at += frame.length
  }
  return bytes
}

/** Frames in messages of a size that a browser shows progress with; a frame is never cut. */
function* messagesOf(frames: readonly Uint8Array[]): Generator<Uint8Array> {
  let [first, bytes] = [0, 0]
  for (let at = 0; at < frames.length; at++) {
    const { length } = frames[at] as Uint8Array
    if (at > first && bytes + length > limits.socketMessageBytesMax) {
      yield joined(frames.slice(first, at))
      first = at
      bytes = 0
    }
    bytes += length
  }
  if (first < frames.length) yield joined(frames.slice(first))
}
