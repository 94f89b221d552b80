/** Where the frames of a message begin and end, lengths included. What comes from the far side is only passed on. */
import { MalformedFrame, Reader } from '../core/jute/codec.ts'

/** Throws MalformedFrame unless the message is whole frames from end to end. */
export function* framesIn(
  message: Uint8Array,
): Generator<{ readonly from: number; readonly to: number }> {
  const reader = new Reader(message)
  while (reader.left > 0) {
    const from = reader.at
    const length = reader.int()
    const to = from + 4 + length
    if (length < 1 || to > message.length) {
      throw new MalformedFrame(`frame of length ${length} in a message of ${message.length} bytes`)
    }
    reader.at = to
    yield { from, to }
  }
}

/** The frames, each behind its length, as one message. */
export function messageOf(frames: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const frame of frames) length += 4 + frame.length
  const message = new Uint8Array(length)
  const view = new DataView(message.buffer)
  let at = 0
  for (const frame of frames) {
    view.setInt32(at, frame.length)
    message.set(frame, at + 4)
    at += 4 + frame.length
  }
  return message
}
