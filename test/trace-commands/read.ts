/** `read packets 05 44` and `read note …`: bytes in hex to fields; what is no packet says why. */
import { MalformedFrame } from '../../src/core/jute/codec.ts'
import {
  readNotification,
  readPackets,
  writeNotification,
  writePackets,
} from '../../src/core/zab/packet-codec.ts'
import type { Command } from './bench.ts'
import { showNote, showPacket } from './show-turn.ts'

export const read: Command = (bench, { words }) => {
  const [what, ...hex] = words
  const bytes = Uint8Array.from(Buffer.from(hex.join(''), 'hex'))
  try {
    if (what === 'note') {
      const note = readNotification(bytes)
      bench.print(`${note.from}: ${showNote(note)}`)
      checkSame(bytes, writeNotification(note))
    } else {
      const packets = readPackets(bytes)
      for (const packet of packets) bench.print(showPacket(packet))
      checkSame(bytes, writePackets(packets))
    }
  } catch (error) {
    if (!(error instanceof MalformedFrame)) throw error
    bench.print(`malformed: ${error.message}`)
  }
}

/** What was read is written as the same bytes. */
function checkSame(bytes: Uint8Array, written: Uint8Array): void {
  if (Buffer.compare(bytes, written) !== 0) throw new Error('written otherwise than read')
}
