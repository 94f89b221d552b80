/** The session actor's end of a trunk: which of the front's clients is which connection, and what a turn says to them. */
import { encode, Writer } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'
import { inGroups } from '../core/shared/pieces.ts'
import { downKinds, Home, writeTrunk } from '../core/wire/trunk.ts'
import type { TcpConnection } from './tcp-connection.ts'

export class TrunkEnd {
  readonly #tcp: TcpConnection
  readonly #outbox = new Writer(4096)
  /** The front's numbers and ours. */
  readonly #connections = new Map<number, number>()
  readonly #paused = new Set<number>()

  constructor(tcp: TcpConnection) {
    this.#tcp = tcp
  }

  get connections(): Iterable<number> {
    return this.#connections.values()
  }

  /** Says whose sessions are here. */
  begin(home: { readonly member: number; readonly prefix: number }): void {
    writeTrunk(this.#outbox, downKinds.home, 0, encode(Home, home))
    this.flush()
  }

  add(client: number, connection: number): void {
    this.#connections.set(client, connection)
  }

  connectionOf(client: number): number | undefined {
    return this.#connections.get(client)
  }

  remove(client: number): void {
    this.#connections.delete(client)
    this.#paused.delete(client)
  }

  /** Frames in messages that no bound of the front's is too small for. */
  write(client: number, frames: readonly Uint8Array[]): void {
    for (const group of inGroups(frames, limits.trunkBytesBeyondFrame)) this.#say(client, group)
  }

  #say(client: number, frames: readonly Uint8Array[]): void {
    writeTrunk(this.#outbox, downKinds.frames, client, ...frames)
    if (this.#outbox.at >= limits.trunkWriteBytes) this.flush()
  }

  hangup(client: number): void {
    this.remove(client)
    writeTrunk(this.#outbox, downKinds.hangup, client)
  }

  refuse(client: number): void {
    writeTrunk(this.#outbox, downKinds.full, client)
  }

  /** The front reads it no further. */
  pause(client: number): void {
    if (this.#paused.has(client)) return
    this.#paused.add(client)
    writeTrunk(this.#outbox, downKinds.pause, client)
  }

  resumeUnless(isThrottled: (connection: number) => boolean): void {
    for (const client of this.#paused) {
      const connection = this.#connections.get(client)
      if (connection === undefined || isThrottled(connection)) continue
      this.#paused.delete(client)
      writeTrunk(this.#outbox, downKinds.resume, client)
    }
  }

  flush(): void {
    if (this.#outbox.at === 0) return
    this.#tcp.write(this.#outbox.take())
    this.#outbox.reset()
  }
}
