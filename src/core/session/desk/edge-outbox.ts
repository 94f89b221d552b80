/** What a member has to say to one session actor, written as it comes, taken at the end of the turn. */
import { type Codec, Writer } from '../../jute/codec.ts'
import { limits } from '../../shared/limits.ts'
import type { Zxid } from '../../shared/units.ts'
import { errorCodes } from '../../wire/refusals.ts'
import { type DownMessage, framesKind, writeDown } from '../edge-messages.ts'

export class EdgeOutbox {
  readonly #writer = new Writer(4096)
  /** What is as long as a call may carry: the end of one session may be 100,000 events. */
  #full: Uint8Array[] = []

  get isEmpty(): boolean {
    return this.#writer.at === 0 && this.#full.length === 0
  }

  send(message: DownMessage): void {
    this.#cut()
    writeDown(this.#writer, message)
  }

  /** A reply frame, written in place: header, and a body where `codec` is given. */
  reply(slot: number, xid: number, zxid: Zxid, err: number): void
  reply<T>(slot: number, xid: number, zxid: Zxid, err: number, codec: Codec<T>, value: T): void
  reply<T>(slot: number, xid: number, zxid: Zxid, err: number, codec?: Codec<T>, value?: T): void {
    this.#cut()
    const writer = this.#writer
    const start = writer.at
    writer.byte(framesKind)
    writer.int(slot)
    const at = writer.at
    writer.int(0)
    writer.int(0)
    writer.int(xid)
    writer.long(zxid)
    writer.int(err)
    codec?.write(writer, value as T)
    if (writer.at - at > limits.replyBytesMax) {
      writer.at = start
      return this.reply(slot, xid, zxid, errorCodes.MarshallingError)
    }
    writer.patchInt(at, writer.at - at - 4)
    writer.patchInt(at + 4, writer.at - at - 8)
  }

  /** Everything, in order, each piece whole messages. */
  take(): Uint8Array[] {
    const pieces = this.#full
    this.#full = []
    if (this.#writer.at > 0) pieces.push(this.#writer.take())
    this.#writer.reset()
    return pieces
  }

  #cut(): void {
    if (this.#writer.at < limits.linkMessageBytesMax) return
    this.#full.push(this.#writer.take())
    this.#writer.reset()
  }
}
