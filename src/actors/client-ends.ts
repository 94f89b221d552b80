/**
 * A session actor's ends of its clients' connections: WebSockets, which hibernate, and TCP streams, of one client each or
 * trunks of many, which do not. What a turn writes leaves at its end.
 */
import { limits } from '../core/shared/limits.ts'
import { log } from './log.ts'
import type { TcpConnection } from './tcp-connection.ts'
import { TrunkEnd } from './trunk-end.ts'

/** What a socket carries through hibernation. */
interface SocketMark {
  readonly connection: number
}

export class ClientEnds {
  readonly #ctx: DurableObjectState
  /** A socket is closed; asked once each. */
  readonly #gone: (connection: number) => void
  readonly #sockets = new Map<number, WebSocket>()
  readonly #tcp = new Map<number, TcpConnection>()
  readonly #trunks = new Set<TrunkEnd>()
  /** Connections whose clients come by a trunk, and their numbers there. */
  readonly #trunked = new Map<number, { readonly trunk: TrunkEnd; readonly client: number }>()
  /** Frames of the turn under way, by connection. */
  readonly #writes = new Map<number, Uint8Array[]>()
  readonly #hangups: number[] = []
  #lastConnection = 0

  constructor(ctx: DurableObjectState, gone: (connection: number) => void) {
    this.#ctx = ctx
    this.#gone = gone
  }

  get hasSockets(): boolean {
    return this.#sockets.size > 0
  }

  /** Does a TCP stream keep the actor awake? */
  get hasStreams(): boolean {
    return this.#tcp.size + this.#trunks.size > 0
  }

  /** Answers the number of the new connection, as `acceptTcp` does. */
  acceptSocket(socket: WebSocket): number {
    const connection = this.#nextConnection()
    this.#ctx.acceptWebSocket(socket)
    socket.serializeAttachment({ connection } satisfies SocketMark)
    this.#sockets.set(connection, socket)
    return connection
  }

  /** A socket that hibernated is taken up again if `isKnown`. */
  reviveSocket(socket: WebSocket, isKnown: (connection: number) => boolean): void {
    const connection = connectionOf(socket)
    this.#lastConnection = Math.max(this.#lastConnection, connection)
    if (isKnown(connection)) this.#sockets.set(connection, socket)
    else this.refuse(socket, 1012, 'the connection was lost in a restart')
  }

  acceptTcp(tcp: TcpConnection): number {
    const connection = this.#nextConnection()
    this.#tcp.set(connection, tcp)
    return connection
  }

  forgetTcp(connection: number): void {
    this.#tcp.delete(connection)
  }

  acceptTrunk(tcp: TcpConnection): TrunkEnd {
    const trunk = new TrunkEnd(tcp)
    this.#trunks.add(trunk)
    return trunk
  }

  /** A client of a trunk. */
  acceptTrunked(trunk: TrunkEnd, client: number): number {
    const connection = this.#nextConnection()
    this.#trunked.set(connection, { trunk, client })
    trunk.add(client, connection)
    return connection
  }

  forgetTrunked(connection: number): void {
    const found = this.#trunked.get(connection)
    this.#trunked.delete(connection)
    found?.trunk.remove(found.client)
  }

  /** The trunk is gone, and with it the connections that this answers. */
  forgetTrunk(trunk: TrunkEnd): number[] {
    const lost = [...trunk.connections]
    for (const connection of lost) this.#trunked.delete(connection)
    this.#trunks.delete(trunk)
    return lost
  }

  /** Clients of trunks that were read no further are, unless they are still throttled. */
  resumeUnless(isThrottled: (connection: number) => boolean): void {
    for (const trunk of this.#trunks) trunk.resumeUnless(isThrottled)
  }

  /** When the platform last answered a ping of this connection for us; 0 if never. */
  pingedMs(connection: number): number {
    const socket = this.#sockets.get(connection)
    if (socket === undefined) return 0
    return this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0
  }

  write(connection: number, frames: Uint8Array): void {
    const waiting = this.#writes.get(connection)
    if (waiting === undefined) this.#writes.set(connection, [frames])
    else waiting.push(frames)
  }

  hangup(connection: number): void {
    this.#hangups.push(connection)
  }

  /** To be called at the end of a turn: writes first, then hangups. */
  flush(): void {
    for (const [connection, frames] of this.#writes) this.#send(connection, frames)
    this.#writes.clear()
    for (const connection of this.#hangups.splice(0)) this.#close(connection)
    for (const trunk of this.#trunks) trunk.flush()
  }

  /** Closes a socket at once. */
  refuse(socket: WebSocket, code: number, why: string): void {
    try {
      socket.close(code, why)
    } catch (fault) {
      log('socket.close', { why: String(fault) })
    }
    this.socketClosed(socket)
  }

  socketClosed(socket: WebSocket): void {
    const connection = connectionOf(socket)
    if (!this.#sockets.has(connection)) return
    // Forgotten afterwards: the host asks for its last ping.
    this.#gone(connection)
    this.#sockets.delete(connection)
  }

  #nextConnection(): number {
    this.#lastConnection += 1
    return this.#lastConnection
  }

  #send(connection: number, frames: readonly Uint8Array[]): void {
    const trunked = this.#trunked.get(connection)
    if (trunked !== undefined) return trunked.trunk.write(trunked.client, frames)
    const tcp = this.#tcp.get(connection)
    if (tcp !== undefined) return tcp.write(joined(frames))
    const socket = this.#sockets.get(connection)
    try {
      for (const message of messagesOf(frames)) socket?.send(message)
    } catch (fault) {
      // The client is gone and its close event is on the way, or was lost: the alarm judges the session all the same.
      log('socket.broken', { why: String(fault) })
    }
  }

  #close(connection: number): void {
    const trunked = this.#trunked.get(connection)
    this.#trunked.delete(connection)
    if (trunked !== undefined) return trunked.trunk.hangup(trunked.client)
    this.#tcp.get(connection)?.close()
    this.#tcp.delete(connection)
    const socket = this.#sockets.get(connection)
    if (socket !== undefined) this.refuse(socket, 1000, 'closed by the ensemble')
  }
}

export const connectionOf = (socket: WebSocket): number =>
  (socket.deserializeAttachment() as SocketMark).connection

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
