/** What a member has to say to one session actor, written as it comes, taken at the end of the turn. */
import { type Codec, Writer } from '../jute/codec.ts'
import type { Zxid } from '../shared/units.ts'
import { type DownMessage, framesKind, writeDown } from './edge-messages.ts'

export class EdgeOutbox {
  readonly #writer = new Writer(4096)

  get isEmpty(): boolean {
    return this.#writer.at === 0
  }

  send(message: DownMessage): void {
    writeDown(this.#writer, message)
  }

  /** A reply frame, written in place: header, and a body where `codec` is given. */
  reply(slot: number, xid: number, zxid: Zxid, err: number): void
  reply<T>(slot: number, xid: number, zxid: Zxid, err: number, codec: Codec<T>, value: T): void
  reply<T>(slot: number, xid: number, zxid: Zxid, err: number, codec?: Codec<T>, value?: T): void {
    const writer = this.#writer
    writer.byte(framesKind)
    writer.int(slot)
    const at = writer.at
    writer.int(0)
    writer.int(0)
    writer.int(xid)
    writer.long(zxid)
    writer.int(err)
    codec?.write(writer, value as T)
    writer.patchInt(at, writer.at - at - 4)
    writer.patchInt(at + 4, writer.at - at - 8)
  }

  take(): Uint8Array {
    const bytes = this.#writer.take()
    this.#writer.reset()
    return bytes
  }
}
