/**
 * Packets and notes ⇄ bytes. A packet is a byte for its type, ZooKeeper's QuorumPacket number where there is one, and
 * its record. Many packets are one array: runtime calls carry bytes well and lists of objects badly.
 */
import {
  bool,
  type Codec,
  decode,
  encode,
  id,
  int,
  long,
  MalformedFrame,
  optionalTail,
  Reader,
  record,
  ustring,
  Writer,
} from '../jute/codec.ts'
import { limits } from '../shared/limits.ts'
import { type Epoch, epochOf, type Sid, type Zxid } from '../shared/units.ts'
import type { Configuration } from './configuration.ts'
import { type LogBatch, readBatch, storedConfiguration } from './log-batch.ts'
import type { Notification, Packet, ServerState } from './messages.ts'

type PacketType = Packet['type']
type Body<T extends PacketType> = Omit<Extract<Packet, { type: T }>, 'type'>

const checked = <T extends number>(
  codec: Codec<number>,
  isGood: (value: number) => boolean,
): Codec<T> => ({
  read: (reader) => {
    const value = codec.read(reader)
    if (!isGood(value)) throw new MalformedFrame(`${value} is out of bounds`)
    return value as T
  },
  write: (writer, value) => codec.write(writer, value),
})

const epochOk = (value: number): boolean => value >= 0 && value <= limits.epochMax
const zxid = checked<Zxid>(long, (value) => value >= 0 && epochOk(epochOf(value as Zxid)))
const epoch = checked<Epoch>(int, epochOk)
/** −1 in an ACKEPOCH that does not count. */
const epochOrNone = checked<Epoch>(int, (value) => value === -1 || epochOk(value))
/** A member's number has one byte in a session id. 0 in the note of an observer, who votes for nobody. */
const sid = checked<Sid>(long, (value) => value >= 0 && value <= limits.sidMax)
const leader = checked<Sid>(int, (value) => value >= 1 && value <= limits.sidMax)
const configuration: Codec<Configuration> = {
  read: (reader) => storedConfiguration(ustring.read(reader)),
  write: (writer, { text }) => writer.ustring(text),
}
const number = checked<number>(int, (value) => value >= 0)
const round = checked<number>(long, (value) => value >= 0)

interface Row<T extends PacketType> {
  readonly code: number
  /** Everything but the bulk. */
  readonly head: Codec<Omit<Body<T>, 'bytes' | 'batch'>>
  /** Bytes that come last and are many: copied once, from where they are to the message. */
  readonly bulk?: {
    readonly of: (packet: Body<T>) => Uint8Array
    readonly from: (bytes: Uint8Array) => Pick<Body<T>, keyof Body<T> & ('bytes' | 'batch')>
  }
}

const nothing = record({})
const batch = {
  of: (packet: { readonly batch: LogBatch }) => packet.batch.bytes,
  from: (bytes: Uint8Array) => ({ batch: readBatch(bytes) }),
}
const bytes = {
  of: (packet: { readonly bytes: Uint8Array }) => packet.bytes,
  from: (value: Uint8Array) => ({ bytes: value }),
}

const rows: { readonly [T in PacketType]: Row<T> } = {
  request: { code: 1, head: nothing, bulk: bytes },
  proposal: { code: 2, head: nothing, bulk: batch },
  ack: { code: 3, head: record({ zxid }) },
  commit: { code: 4, head: record({ zxid }) },
  ping: { code: 5, head: nothing },
  revalidate: { code: 6, head: record({ number, session: id, attachment: int }) },
  sync: { code: 7, head: record({ number }) },
  inform: { code: 8, head: nothing, bulk: batch },
  commitAndActivate: { code: 9, head: record({ zxid, leader }) },
  newLeader: { code: 10, head: record({ epoch, configuration }) },
  followerInfo: { code: 11, head: record({ acceptedEpoch: epoch, version: zxid }) },
  upToDate: { code: 12, head: record({ committed: zxid }) },
  diff: { code: 13, head: record({ to: zxid }) },
  trunc: { code: 14, head: record({ to: zxid }) },
  snap: { code: 15, head: record({ zxid }) },
  observerInfo: { code: 16, head: record({ acceptedEpoch: epoch, version: zxid }) },
  leaderInfo: { code: 17, head: record({ epoch }) },
  ackEpoch: { code: 18, head: record({ currentEpoch: epochOrNone, lastZxid: zxid }) },
  informAndActivate: { code: 19, head: record({ leader }), bulk: batch },
  // ZooKeeper says these with an ACK, a PING or nothing at all.
  snapChunk: { code: 64, head: record({ last: bool }), bulk: bytes },
  snapAck: { code: 65, head: nothing },
  needSnap: { code: 66, head: nothing },
  ackNewLeader: { code: 67, head: record({ epoch, lastZxid: zxid }) },
  pong: { code: 68, head: nothing },
  revalidated: { code: 69, head: record({ number, alive: bool }) },
  synced: { code: 70, head: record({ number }) },
  digest: { code: 71, head: record({ zxid, digest: ustring }) },
  digested: { code: 72, head: record({ zxid, digest: ustring }) },
  disowned: { code: 73, head: record({ zxid }) },
  pledged: { code: 74, head: record({ zxid }) },
}

const typeOf = new Map(Object.entries(rows).map(([type, { code }]) => [code, type as PacketType]))
const rowOf = (type: PacketType): Row<PacketType> => rows[type] as unknown as Row<PacketType>

const heads = new Writer(4096)

/** These packets in their order, as messages that calls can carry: a learner may be given a long history in one turn. */
export function writeMessages(packets: readonly Packet[]): Uint8Array[] {
  const messages: Uint8Array[] = []
  let [from, bytes] = [0, 0]
  packets.forEach((packet, at) => {
    const size = rowOf(packet.type).bulk?.of(packet).length ?? 0
    if (at > from && bytes + size > limits.linkMessageBytesMax) {
      messages.push(writePackets(packets.slice(from, at)))
      from = at
      bytes = 0
    }
    bytes += size
  })
  messages.push(writePackets(packets.slice(from)))
  return messages
}

/** One message of these packets, in their order. */
export function writePackets(packets: readonly Packet[]): Uint8Array {
  heads.reset()
  const bulks: { readonly at: number; readonly bytes: Uint8Array }[] = []
  let length = 0
  for (const packet of packets) {
    const { code, head, bulk } = rowOf(packet.type)
    heads.byte(code)
    head.write(heads, packet)
    if (!bulk) continue
    const own = bulk.of(packet)
    heads.int(own.length)
    bulks.push({ at: heads.at, bytes: own })
    length += own.length
  }
  return interleave(heads.take(), bulks, length)
}

function interleave(
  small: Uint8Array,
  bulks: readonly { readonly at: number; readonly bytes: Uint8Array }[],
  length: number,
): Uint8Array {
  if (bulks.length === 0) return small
  const message = new Uint8Array(small.length + length)
  let [from, to] = [0, 0]
  for (const bulk of bulks) {
    message.set(small.subarray(from, bulk.at), to)
    message.set(bulk.bytes, to + bulk.at - from)
    to += bulk.at - from + bulk.bytes.length
    from = bulk.at
  }
  message.set(small.subarray(from), to)
  return message
}

/** The packets of a message; their bulks are views of it. Throws MalformedFrame. */
export function readPackets(message: Uint8Array): Packet[] {
  const reader = new Reader(message)
  const packets: Packet[] = []
  while (reader.left > 0) packets.push(readPacket(reader))
  return packets
}

function readPacket(reader: Reader): Packet {
  const code = reader.byte()
  const type = typeOf.get(code)
  if (type === undefined) throw new MalformedFrame(`no packet has the type ${code}`)
  const { head, bulk } = rowOf(type)
  const fields = head.read(reader)
  if (!bulk) return { type, ...fields } as Packet
  const own = reader.buffer()
  if (own === null) throw new MalformedFrame(`the bytes of ${type} are null`)
  return { type, ...fields, ...bulk.from(own) } as Packet
}

/** In the order of ZooKeeper's ServerState. */
const states: readonly ServerState[] = ['looking', 'following', 'leading', 'observing']

/** FastLeaderElection's fields in its order, then the sender, whom ZooKeeper knows by the connection. */
const Note = record({
  state: int,
  leader: sid,
  zxid,
  round,
  epoch,
  from: sid,
  asks: bool,
  configuration: optionalTail(configuration),
  pending: optionalTail(configuration),
})

export function writeNotification(note: Notification): Uint8Array {
  const { from, state, vote, round, asks, configuration: of, pending } = note
  const fields = { ...vote, state: states.indexOf(state), round, from, asks }
  // A tail of a tail: nobody has one pending before there is one in force.
  return encode(Note, { ...fields, configuration: of, pending: of && pending })
}

/** Throws MalformedFrame. */
export function readNotification(bytesOfNote: Uint8Array): Notification {
  const { state, leader: whom, zxid: last, round, epoch: of, ...rest } = decode(Note, bytesOfNote)
  const name = states[state]
  if (name === undefined) throw new MalformedFrame(`no server state is ${state}`)
  const vote = { leader: whom, zxid: last, epoch: of }
  return { state: name, vote, round, ...rest }
}
