/** One client's end of its connection, whatever carries it. */
import { limits } from '../core/shared/limits.ts'
import { inGroups, joined } from '../core/shared/pieces.ts'
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
      // A browser shows progress message by message.
      for (const group of inGroups(frames, limits.socketMessageBytesMax)) {
        this.socket.send(joined(group))
      }
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
