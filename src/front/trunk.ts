/** The front's end of a trunk: clients by their numbers, what they say in one write of a turn, what they are told. */
import type { Socket } from 'node:net'
import { decode, encode, MalformedFrame, Writer } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'
import { downKinds, Home, Newcomer, prefixOf, upKinds, writeTrunk } from '../core/wire/trunk.ts'
import type { Runtime } from './runtime.ts'
import { type ClientOwner, reasons, type TcpClient } from './tcp-client.ts'
import { TrunkReader } from './trunk-reader.ts'

export interface TrunkOwner {
  /** Its actor has no room for the client. */
  full(client: TcpClient): void
  /** It is no more; called once. */
  lost(): void
}

export class Trunk implements ClientOwner {
  readonly #stream: Socket
  readonly #member: number
  readonly #owner: TrunkOwner
  readonly #clients = new Map<number, TcpClient>()
  readonly #outbox = new Writer(64 * 1024)
  #lastNumber = 0
  #isFlushDue = false
  #isFull = false
  /** Read into again and again, unless a client's socket has not yet sent some of it. */
  #buffer = freshBuffer()
  #isBufferInUse = false
  /** The stream takes no more for now. */
  #isStuck = false
  #prefix: number | undefined
  /** New sessions are born at the member they came to; an actor that was asked for by a session may be another member's. */
  #isHome: boolean

  /** `session`: whose actor is wanted; 0n: one with room for a new session. */
  constructor(runtime: Runtime, member: number, session: bigint, owner: TrunkOwner) {
    this.#member = member
    this.#owner = owner
    this.#isHome = session === 0n
    this.#prefix = session === 0n ? undefined : prefixOf(session)
    const reader = new TrunkReader((kind, client, body) => this.#receive(kind, client, body))
    this.#stream = runtime.open(
      { member, isTrunk: true, address: '', session },
      {
        buffer: () => this.#nextBuffer(),
        callback: (length, buffer) => this.#read(reader, buffer.subarray(0, length)),
      },
    )
    this.#stream.on('drain', () => this.#unstick())
    this.#stream.on('error', () => undefined) // its close says all
    this.#stream.once('close', () => this.#lost())
  }

  /** What `prefixOf` makes of its sessions' ids; undefined: not known yet. */
  get prefix(): number | undefined {
    return this.#prefix
  }

  /** May a client go by it that wants a new session? */
  get hasRoom(): boolean {
    return this.#isHome && !this.#isFull
  }

  take(client: TcpClient): void {
    this.#lastNumber = (this.#lastNumber + 1) | 0
    client.number = this.#lastNumber
    this.#clients.set(client.number, client)
    const isNew = client.session === 0n
    this.#say(upKinds.came, client, encode(Newcomer, { address: client.address, isNew }))
    if (this.#isStuck) client.waitFor(reasons.trunkIsFull)
    client.placed(this)
  }

  frames(client: TcpClient, frames: Uint8Array): void {
    this.#say(upKinds.frames, client, frames)
  }

  left(client: TcpClient): void {
    this.#clients.delete(client.number)
    this.#isFull = false
    this.#say(upKinds.left, client)
  }

  #say(kind: number, { number }: TcpClient, ...bodies: readonly Uint8Array[]): void {
    writeTrunk(this.#outbox, kind, number, ...bodies)
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    // Behind everything that can be read now: what many clients say at a time is one write.
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#isFlushDue = false
    if (this.#stream.destroyed) return
    this.#stream.write(this.#outbox.take())
    this.#outbox.reset()
    if (this.#isStuck || this.#stream.writableLength < limits.trunkBufferedBytesMax) return
    this.#isStuck = true
    for (const client of this.#clients.values()) client.waitFor(reasons.trunkIsFull)
  }

  #unstick(): void {
    if (!this.#isStuck) return
    this.#isStuck = false
    for (const client of this.#clients.values()) client.readOn(reasons.trunkIsFull)
  }

  #nextBuffer(): Uint8Array {
    if (this.#isBufferInUse) this.#buffer = freshBuffer()
    this.#isBufferInUse = false
    return this.#buffer
  }

  /** True: to be read on. */
  #read(reader: TrunkReader, bytes: Uint8Array): boolean {
    try {
      reader.push(bytes)
      return true
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      console.error(`front: ${fault.message}`)
      this.#stream.destroy()
      return false
    }
  }

  #receive(kind: number, number: number, body: Uint8Array): void {
    if (kind === downKinds.home) return this.#arrived(decode(Home, body))
    const client = this.#clients.get(number)
    if (client === undefined) return undefined // it has left; the actor does not know yet
    switch (kind) {
      case downKinds.frames:
        if (client.write(body)) this.#isBufferInUse = true
        return undefined
      case downKinds.hangup:
        this.#clients.delete(number)
        this.#isFull = false
        return client.hangup()
      case downKinds.full:
        return this.#turnAway(client)
      case downKinds.pause:
        return client.waitFor(reasons.toldToWait)
      case downKinds.resume:
        return client.readOn(reasons.toldToWait)
      default:
        throw new MalformedFrame(`trunk message of kind ${kind}`)
    }
  }

  #arrived({ member, prefix }: { readonly member: number; readonly prefix: number }): void {
    this.#isHome = member === this.#member
    this.#prefix = prefix
  }

  #turnAway(client: TcpClient): void {
    this.#clients.delete(client.number)
    this.#isFull = true
    client.displaced()
    if (!client.isGone) this.#owner.full(client)
  }

  #lost(): void {
    this.#owner.lost()
    for (const client of this.#clients.values()) client.destroy()
    this.#clients.clear()
  }
}

/** Not of the pool that small buffers share, and not zeroed. */
const freshBuffer = (): Uint8Array => Buffer.allocUnsafeSlow(limits.trunkReadBytes)
