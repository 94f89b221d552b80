/**
 * What comes down a trunk, message by message; but the frames for a client are passed on as they come, in pieces, because
 * a client reads a stream as well.
 */
import { MalformedFrame, Reader } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'
import { joined } from '../core/shared/pieces.ts'
import { downKinds, trunkHeadBytes as headBytes } from '../core/wire/trunk.ts'

export class TrunkReader {
  readonly #receive: (kind: number, client: number, body: Uint8Array) => void
  readonly #head = new Uint8Array(headBytes)
  #headHave = 0
  #kind = 0
  #client = 0
  #bodyLeft = 0
  /** Of a message that is no frames: what is here of it. */
  #body: Uint8Array[] = []

  /** `receive` is given whole messages, and the frames for a client piece by piece, as they lie in what was pushed. */
  constructor(receive: (kind: number, client: number, body: Uint8Array) => void) {
    this.#receive = receive
  }

  /** Nothing of the chunk is kept. Throws MalformedFrame for a length that no message has. */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#headHave < headBytes) at = this.#takeHead(chunk, at)
      else at = this.#takeBody(chunk, at)
    }
  }

  #takeHead(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + headBytes - this.#headHave)
    this.#head.set(chunk.subarray(at, end), this.#headHave)
    this.#headHave += end - at
    if (this.#headHave < headBytes) return end
    const head = new Reader(this.#head)
    const length = head.int() - (headBytes - 4)
    this.#kind = head.byte()
    this.#client = head.int()
    const lengthMax =
      this.#kind === downKinds.frames
        ? limits.replyBytesMax + limits.trunkBytesBeyondFrame
        : limits.prefaceBytesMax
    if (length < 0 || length > lengthMax) throw new MalformedFrame(`trunk message of ${length}`)
    this.#bodyLeft = length
    if (length === 0) this.#tell(new Uint8Array(0))
    return end
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#bodyLeft)
    this.#bodyLeft -= end - at
    const piece = chunk.subarray(at, end)
    if (this.#kind === downKinds.frames) this.#receive(this.#kind, this.#client, piece)
    else this.#body.push(piece.slice())
    if (this.#bodyLeft > 0) return end
    if (this.#kind === downKinds.frames) this.#headHave = 0
    else this.#tell(joined(this.#body))
    return end
  }

  #tell(body: Uint8Array): void {
    this.#headHave = 0
    this.#body = []
    this.#receive(this.#kind, this.#client, body)
  }
}
