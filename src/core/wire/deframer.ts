/**
 * Byte chunks in, whole frames out: int32 length, then that many bytes. A length the peer may not send throws before
 * anything is stored for it.
 */
import { MalformedFrame } from '../jute/codec.ts'

export class Deframer {
  readonly #frameBytesMax: number
  #chunks: Uint8Array[] = []
  #held = 0
  /** Bytes of the frame under way, its length included; 0 while the length is not known. */
  #wanted = 0

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  /** Bytes held of a frame that is not yet whole. */
  get held(): number {
    return this.#held
  }

  /**
   * The frames that `chunk` completes, without their length, as views of it where possible.
   * Throws MalformedFrame for a length below 1 or above the limit.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#held + chunk.length < Math.max(4, this.#wanted)) {
      this.#keep(chunk)
      return []
    }
    const bytes = this.#held === 0 ? chunk : this.#join(chunk)
    const frames: Uint8Array[] = []
    let at = 0
    this.#wanted = 0
    while (bytes.length - at >= 4) {
      const length = this.#lengthAt(bytes, at)
      if (bytes.length - at - 4 < length) {
        this.#wanted = 4 + length
        break
      }
      frames.push(bytes.subarray(at + 4, at + 4 + length))
      at += 4 + length
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at))
    return frames
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as number[]
    const length =
      ((a as number) << 24) | ((b as number) << 16) | ((c as number) << 8) | (d as number)
    if (length < 1 || length > this.#frameBytesMax) {
      throw new MalformedFrame(`frame of length ${length}, allowed are 1 to ${this.#frameBytesMax}`)
    }
    return length
  }

  #keep(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    // A small rest of a large chunk is copied, so that the chunk is not kept alive by it.
    this.#chunks.push(chunk.slice())
    this.#held += chunk.length
  }

  #join(chunk: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(this.#held + chunk.length)
    let at = 0
    for (const held of this.#chunks) {
      bytes.set(held, at)
      at += held.length
    }
    bytes.set(chunk, at)
    this.#chunks = []
    this.#held = 0
    return bytes
  }
}

/** Every frame of a message that must hold whole frames only. Throws MalformedFrame, also for a rest. */
export function wholeFrames(message: Uint8Array, frameBytesMax: number): Uint8Array[] {
  const deframer = new Deframer(frameBytesMax)
  const frames = deframer.push(message)
  if (deframer.held > 0) throw new MalformedFrame(`${deframer.held} bytes of a frame cut short`)
  return frames
}
