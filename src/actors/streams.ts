/**
 * The TCP streams of a session actor, of one client each or trunks of many. Each is read as long as it lasts, and none of its
 * clients faster than he is answered.
 */
import { decode, MalformedFrame } from '../core/jute/codec.ts'
import type { Host } from '../core/session/host/host.ts'
import { limits } from '../core/shared/limits.ts'
import { asSid, type Sid } from '../core/shared/units.ts'
import { Deframer, wholeFrames } from '../core/wire/deframer.ts'
import { Newcomer, prefixOf, readTrunk, type TrunkMessage, upKinds } from '../core/wire/trunk.ts'
import type { ClientEnds } from './client-ends.ts'
import { log } from './log.ts'
import { readPreamble, type TcpConnection } from './tcp-connection.ts'
import type { TrunkEnd } from './trunk-end.ts'

export interface StreamOwner {
  readonly host: Host
  readonly place: { readonly home: Sid; readonly number: number }
  /** One step of the host, and everything it asked for. */
  step(step: (nowMs: number) => unknown): void
  /** May one more session come here? */
  admits(): boolean
}

export class Streams {
  readonly #owner: StreamOwner
  readonly #clients: ClientEnds
  readonly #frameBytesMax: number
  /** Readers that wait for their client's requests to be answered. */
  readonly #readers: (() => void)[] = []

  constructor(owner: StreamOwner, clients: ClientEnds, frameBytesMax: number) {
    this.#owner = owner
    this.#clients = clients
    this.#frameBytesMax = frameBytesMax
  }

  /** Its preamble, then ZooKeeper's bytes or a trunk's messages. */
  async serve(tcp: TcpConnection): Promise<void> {
    const preamble = await readPreamble(tcp)
    if (preamble === undefined) return
    const { member, address, isTrunk } = preamble
    if (isTrunk) await this.#serveTrunk(asSid(member), tcp)
    else await this.#serveClient(asSid(member), address, tcp)
  }

  /** To be called in each step: whoever waited to be read on may be able to. */
  readOn(): void {
    this.#clients.resumeUnless((connection) => this.#owner.host.isThrottled(connection))
    for (const resume of this.#readers.splice(0)) resume()
  }

  async #serveClient(pinned: Sid, address: string, tcp: TcpConnection): Promise<void> {
    const { host } = this.#owner
    const id = this.#clients.acceptStream(tcp)
    host.connected(Date.now(), { id, pinned, survives: false, address, identities: [] })
    const deframer = new Deframer(this.#frameBytesMax)
    await whileReadable(tcp, async (chunk) => {
      const frames = deframer.push(chunk)
      if (frames.length > 0) this.#owner.step((nowMs) => host.receive(nowMs, id, frames))
      // Whoever asks faster than we answer is read slower.
      while (host.isThrottled(id)) {
        await new Promise<void>((resolve) => this.#readers.push(resolve))
      }
    })
    this.#clients.forgetStream(tcp, id)
    this.#owner.step((nowMs) => host.disconnected(nowMs, id))
  }

  /** Many clients of one member. What a read brings of all of them is one step. */
  async #serveTrunk(member: Sid, tcp: TcpConnection): Promise<void> {
    const { host, place } = this.#owner
    const { home, number } = place
    const trunk = this.#clients.acceptTrunk(tcp)
    trunk.begin({ member: home, prefix: prefixOf((BigInt(home) << 56n) | (BigInt(number) << 40n)) })
    const deframer = new Deframer(this.#frameBytesMax + limits.trunkBytesBeyondFrame)
    await whileReadable(tcp, async (chunk) => {
      const messages = deframer.push(chunk)
      if (messages.length === 0) return
      this.#owner.step((nowMs) => {
        for (const message of messages) this.#receive(nowMs, member, trunk, readTrunk(message))
      })
    })
    this.#owner.step((nowMs) => {
      for (const lost of this.#clients.forgetTrunk(tcp, trunk)) host.disconnected(nowMs, lost)
    })
  }

  #receive(nowMs: number, member: Sid, trunk: TrunkEnd, message: TrunkMessage): void {
    const { kind, client, body } = message
    const { host } = this.#owner
    if (kind === upKinds.came) {
      const { address, isNew } = decode(Newcomer, body)
      if (isNew && !this.#owner.admits()) return trunk.refuse(client)
      const id = this.#clients.acceptTrunked(trunk, client)
      host.connected(nowMs, { id, pinned: member, survives: false, address, identities: [] })
      return undefined
    }
    const connection = trunk.connectionOf(client)
    if (connection === undefined) return undefined // it was closed or refused; the front does not know yet
    if (kind === upKinds.left) {
      host.disconnected(nowMs, connection)
      return this.#clients.forgetTrunked(trunk, client, connection)
    }
    if (kind !== upKinds.frames) throw new MalformedFrame(`trunk message of kind ${kind}`)
    host.receive(nowMs, connection, wholeFrames(body, this.#frameBytesMax))
    if (host.isThrottled(connection)) trunk.pause(client)
    return undefined
  }
}

/** Until the stream ends or breaks, or what it brings is malformed. Who does not take what we write is read no further. */
async function whileReadable(
  tcp: TcpConnection,
  receive: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  try {
    for (;;) {
      const chunk = await tcp.read()
      if (chunk === undefined) return
      await receive(chunk)
      if (tcp.isFull) await tcp.untilWritten()
    }
  } catch (fault) {
    // A stream breaks when its client goes, or when we close it: neither is news.
    if (!(fault instanceof MalformedFrame) && !tcp.isOver) log('tcp.broken', { why: String(fault) })
  } finally {
    tcp.close()
  }
}
