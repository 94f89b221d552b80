/** Rows of a checkpoint as the chunks of a streamed snapshot. */
import { buffer, byte, MalformedFrame, Reader, record, ustring, Writer } from '../jute/codec.ts'
import type { Row } from './row-table.ts'

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
