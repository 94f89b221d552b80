/**
 * Checksums of a checkpoint's row: one of its place, for whoever lists names without their values, and one of place and
 * value, so that a row that got to the place of another is found too.
 */
import { Writer } from '../jute/codec.ts'
import { crc32 } from '../shared/crc32.ts'
import type { RowKey } from './row-table.ts'

const writer = new Writer(256)

export function placeSum({ room, key, name }: RowKey): number {
  writer.reset()
  writer.byte(room)
  writer.ustring(key)
  writer.ustring(name)
  return crc32(writer.written)
}

export const rowSum = (place: number, value: Uint8Array): number => crc32(value, place)
