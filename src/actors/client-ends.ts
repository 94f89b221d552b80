/** A session actor's ends of its clients' connections, by number. What a turn writes leaves at its end. */
import { TransitMap } from '../core/shared/transit-map.ts'
import { type ClientEnd, SocketEnd, StreamEnd, TrunkedEnd } from './client-end.ts'
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
  readonly #ends = new Map<number, ClientEnd>()
  #socketCount = 0
  readonly #trunks = new Set<TrunkEnd>()
  /** TCP streams, trunks among them. */
  readonly #streams = new Set<TcpConnection>()
  /** Frames of the turn under way, by connection. */
  readonly #writes = new TransitMap<number, Uint8Array[]>()
  readonly #hangups: number[] = []
  #lastConnection = 0

  constructor(ctx: DurableObjectState, gone: (connection: number) => void) {
    this.#ctx = ctx
    this.#gone = gone
  }

  get hasSockets(): boolean {
    return this.#socketCount > 0
  }

  /** Does a TCP stream keep the actor awake? */
  get hasStreams(): boolean {
    return this.#streams.size > 0
  }

  /** Answers the number of the new connection, as all that accept. */
  acceptSocket(socket: WebSocket): number {
    this.#ctx.acceptWebSocket(socket)
    const connection = this.#accept(new SocketEnd(socket, this.#ctx))
    this.#socketCount += 1
    socket.serializeAttachment({ connection } satisfies SocketMark)
    return connection
  }

  /** A socket that hibernated is taken up again if `isKnown`. */
  reviveSocket(socket: WebSocket, isKnown: (connection: number) => boolean): void {
    const connection = connectionOf(socket)
    this.#lastConnection = Math.max(this.#lastConnection, connection)
    const end = new SocketEnd(socket, this.#ctx)
    if (!isKnown(connection)) return end.refuse(1012, 'the connection was lost in a restart')
    this.#ends.set(connection, end)
    this.#socketCount += 1
  }

  acceptStream(tcp: TcpConnection): number {
    this.#streams.add(tcp)
    return this.#accept(new StreamEnd(tcp))
  }

  forgetStream(tcp: TcpConnection, connection: number): void {
    this.#streams.delete(tcp)
    this.#ends.delete(connection)
  }

  acceptTrunk(tcp: TcpConnection): TrunkEnd {
    this.#streams.add(tcp)
    const trunk = new TrunkEnd(tcp)
    this.#trunks.add(trunk)
    return trunk
  }

  /** A client of a trunk. */
  acceptTrunked(trunk: TrunkEnd, client: number): number {
    const connection = this.#accept(new TrunkedEnd(trunk, client))
    trunk.add(client, connection)
    return connection
  }

  /** A client of a trunk has left. */
  forgetTrunked(trunk: TrunkEnd, client: number, connection: number): void {
    this.#ends.delete(connection)
    trunk.remove(client)
  }

  /** The trunk is gone, and with it the connections that this answers. */
  forgetTrunk(tcp: TcpConnection, trunk: TrunkEnd): number[] {
    const lost = [...trunk.connections]
    for (const connection of lost) this.#ends.delete(connection)
    this.#trunks.delete(trunk)
    this.#streams.delete(tcp)
    return lost
  }

  /** Clients of trunks that were read no further are, unless they are still throttled. */
  resumeUnless(isThrottled: (connection: number) => boolean): void {
    for (const trunk of this.#trunks) trunk.resumeUnless(isThrottled)
  }

  /** When the platform last answered a ping of this connection for us, ms; 0: never. */
  pingedMs(connection: number): number {
    return this.#ends.get(connection)?.pingedMs ?? 0
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
    for (const [connection, frames] of this.#writes) this.#ends.get(connection)?.write(frames)
    this.#writes.clear()
    for (const connection of this.#hangups.splice(0)) this.#hangUp(connection)
    for (const trunk of this.#trunks) trunk.flush()
  }

  /** Closes a socket at once. */
  refuse(socket: WebSocket, code: number, why: string): void {
    new SocketEnd(socket, this.#ctx).refuse(code, why)
    this.socketClosed(socket)
  }

  socketClosed(socket: WebSocket): void {
    const connection = connectionOf(socket)
    if (!this.#ends.has(connection)) return
    // Forgotten afterwards: the host asks for its last ping.
    this.#gone(connection)
    if (this.#ends.delete(connection)) this.#socketCount -= 1
  }

  #accept(end: ClientEnd): number {
    this.#lastConnection += 1
    this.#ends.set(this.#lastConnection, end)
    return this.#lastConnection
  }

  #hangUp(connection: number): void {
    const end = this.#ends.get(connection)
    end?.hangup()
    if (end instanceof SocketEnd) this.socketClosed(end.socket)
    else this.#ends.delete(connection)
  }
}

export const connectionOf = (socket: WebSocket): number =>
  (socket.deserializeAttachment() as SocketMark).connection
