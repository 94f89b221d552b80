/** Rows of a checkpoint as the chunks of a streamed snapshot, and their places alone, as a store keeps them of early rows. */
import { buffer, byte, MalformedFrame, Reader, record, ustring, Writer } from '../jute/codec.ts'
import { limits } from '../shared/limits.ts'
import type { Row, RowKey } from './row-table.ts'

const RowRecord = record({ room: byte, key: ustring, name: ustring, value: buffer })

export function rowsToChunk(rows: readonly Row[]): Uint8Array {
  const writer = new Writer(4096)
  for (const row of rows) RowRecord.write(writer, row)
  return writer.take()
}

/** Throws MalformedFrame. */
export function rowsOfChunk(chunk: Uint8Array): Row[] {
  const reader = new Reader(chunk)
  const rows: Row[] = []
  while (reader.left > 0) {
    const { room, key, name, value } = RowRecord.read(reader)
    if (value === null) throw new MalformedFrame('a row of a snapshot is null')
    rows.push({ room, key, name, value })
  }
  return rows
}

const Place = record({ room: byte, key: ustring, name: ustring })

/** In pieces that a row of a store holds. */
export function* placesInPieces(rows: readonly RowKey[]): Generator<Uint8Array> {
  const writer = new Writer(4096)
  for (const row of rows) {
    if (writer.at > limits.placesBytes) yield writer.take()
    Place.write(writer, row)
  }
  if (writer.at > 0) yield writer.take()
}

/** Throws MalformedFrame. */
export function placesOf(piece: Uint8Array): RowKey[] {
  const reader = new Reader(piece)
  const places: RowKey[] = []
  while (reader.left > 0) places.push(Place.read(reader))
  return places
}
