/** One client's socket: what it says is cut into whole frames, and it is read no further while anybody cannot follow. */
import type { Socket } from 'node:net'
import { MalformedFrame } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'
import { Deframer } from '../core/wire/deframer.ts'

export interface ClientOwner {
  /** Whole frames, each with its length. */
  frames(client: TcpClient, frames: Uint8Array): void
  left(client: TcpClient): void
}

/** Why a client is not read; a bit each. */
export const reasons = { isNotAnswered: 1, toldToWait: 2, trunkIsFull: 4, doesNotRead: 8 } as const
type Reason = (typeof reasons)[keyof typeof reasons]

export class TcpClient {
  /** The session it asks for; 0n: a new one. */
  readonly session: bigint
  readonly address: string
  /** On its trunk. */
  number = 0
  readonly #socket: Socket
  readonly #deframer: Deframer
  #waitsFor = 0
  /** What it said before it was answered, to say again to another actor; undefined: it was. */
  #said: Uint8Array[] | undefined = []
  #saidBytes = 0
  #owner: ClientOwner | undefined

  constructor(socket: Socket, session: bigint, frameBytesMax: number) {
    this.session = session
    this.address = addressOf(socket)
    this.#socket = socket
    this.#deframer = new Deframer(frameBytesMax)
    socket.on('data', (chunk) => this.read(chunk))
    socket.on('end', () => socket.destroySoon()) // who says no more has left
    socket.on('drain', () => this.readOn(reasons.doesNotRead))
    socket.once('close', () => this.#owner?.left(this))
  }

  get isGone(): boolean {
    return this.#socket.destroyed
  }

  /** Somebody takes what it says from now on, first of all what it has said. */
  placed(owner: ClientOwner): void {
    this.#owner = owner
    for (const frames of this.#said ?? []) owner.frames(this, frames)
  }

  /** Nobody takes what it says. */
  displaced(): void {
    this.#owner = undefined
  }

  read(chunk: Uint8Array): void {
    let frames: Uint8Array | undefined
    try {
      frames = wholeIn(this.#deframer.push(chunk))
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      this.destroy()
      return
    }
    if (frames === undefined) return
    if (this.#said !== undefined) this.#remember(this.#said, frames)
    this.#owner?.frames(this, frames)
  }

  /** Answers whether some of the bytes are still to be sent: until then they must not change. */
  write(frames: Uint8Array): boolean {
    if (this.#said !== undefined) {
      this.#said = undefined
      this.readOn(reasons.isNotAnswered)
    }
    const socket = this.#socket
    // What must wait is not to keep alive all that came with it.
    const mustWait = socket.writableLength > 0
    const hasRoom = socket.write(mustWait ? Buffer.from(frames) : frames)
    const { writableLength } = socket
    if (!hasRoom && writableLength > limits.unwrittenBytesMax) this.waitFor(reasons.doesNotRead)
    return !mustWait && writableLength > 0
  }

  waitFor(reason: Reason): void {
    if (this.#waitsFor === 0) this.#socket.pause()
    this.#waitsFor |= reason
  }

  readOn(reason: Reason): void {
    if ((this.#waitsFor & reason) === 0) return
    this.#waitsFor &= ~reason
    if (this.#waitsFor === 0) this.#socket.resume()
  }

  #remember(said: Uint8Array[], frames: Uint8Array): void {
    said.push(frames)
    this.#saidBytes += frames.length
    if (this.#saidBytes > limits.unwrittenBytesMax) this.waitFor(reasons.isNotAnswered)
  }

  /** Closes the connection behind what was written. */
  hangup(): void {
    this.#owner = undefined
    this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** Frames as the deframer cut them lie one behind the other, each behind its length. */
function wholeIn(frames: readonly Uint8Array[]): Uint8Array | undefined {
  const [first, last] = [frames[0], frames.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const from = first.byteOffset - 4
  return new Uint8Array(first.buffer, from, last.byteOffset + last.length - from)
}

/** As the runtime tells addresses: `127.0.0.1:50412`, `[::1]:50412`. */
export function addressOf({ remoteAddress, remoteFamily, remotePort }: Socket): string {
  return remoteFamily === 'IPv6'
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`
}
