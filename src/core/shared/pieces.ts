/** Bytes that come in pieces: put together, or many of them cut into few. */

/** One piece is answered as it is. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const only = pieces.length === 1 ? pieces[0] : undefined
  if (only !== undefined) return only
  let length = 0
  for (const piece of pieces) length += piece.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** Groups of pieces, each of at most `bytesMax` bytes or of one piece: none is ever cut. */
export function* inGroups(
  pieces: readonly Uint8Array[],
  bytesMax: number,
): Generator<readonly Uint8Array[]> {
  let [first, bytes] = [0, 0]
  for (let at = 0; at < pieces.length; at++) {
    const { length } = pieces[at] as Uint8Array
    if (at > first && bytes + length > bytesMax) {
      yield pieces.slice(first, at)
      first = at
      bytes = 0
    }
    bytes += length
  }
  if (first < pieces.length) yield first === 0 ? pieces : pieces.slice(first)
}
