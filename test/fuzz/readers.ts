/** Everything that reads bytes from outside without a state of its own: how it is called, and valid bytes for it. */
import { framesIn } from '../../src/bridge/frames-in.ts'
import { type Codec, decode, Reader, Writer } from '../../src/core/jute/codec.ts'
import * as records from '../../src/core/jute/records.ts'
import { ForwardWriter, readForwarded } from '../../src/core/request/forward.ts'
import {
  downRecords,
  readDown,
  readUp,
  upRecords,
  writeDown,
  writeUp,
} from '../../src/core/session/edge-messages.ts'
import type { Random } from '../../src/core/shared/random.ts'
import { asSid, asZxid, zxidOf, asEpoch } from '../../src/core/shared/units.ts'
import { hostOf, isAddressPattern, matchesAddress } from '../../src/core/tree/address.ts'
import { readQuota } from '../../src/core/tree/quota.ts'
import { rowsOfChunk, rowsToChunk } from '../../src/core/tree/snapshot.ts'
import { readTxn, writeTxn, type TxnBody } from '../../src/core/tree/txn.ts'
import { znodeFromRow, znodeToRow } from '../../src/core/tree/znode.ts'
import { vouchedClient, vouchFor } from '../../src/core/wire/client.ts'
import { Deframer, wholeFrames } from '../../src/core/wire/deframer.ts'
import {
  readMultiRequest,
  readMultiResponse,
  writeMultiRequest,
  writeMultiResponse,
} from '../../src/core/wire/multi.ts'
import { openingOf } from '../../src/core/wire/opening.ts'
import { type Operation, opcodes } from '../../src/core/wire/opcodes.ts'
import { readReply } from '../../src/core/wire/packets.ts'
import { entriesOf, readBatch, sliceBatch } from '../../src/core/zab/log-batch.ts'
import {
  readNotification,
  readPackets,
  writeNotification,
  writePackets,
} from '../../src/core/zab/packet-codec.ts'
import { batchOf } from '../sim/disk.ts'
import { captures } from '../wire/capture.ts'
import { allPackets, configuration } from './packets.ts'
import { someChange } from './changes.ts'
import { sampleOf } from './sampler.ts'
import { joined } from './mutation.ts'

export interface ByteReader {
  readonly name: string
  read(bytes: Uint8Array): unknown
  sample(random: Random): Uint8Array
}

const frameBytesMax = 1_048_575

/** The bodies of multi are no records. */
const multiRequest: Codec<unknown> = {
  read: readMultiRequest,
  write: writeMultiRequest as Codec<unknown>['write'],
}
const multiResponse: Codec<unknown> = {
  read: readMultiResponse,
  write: writeMultiResponse as Codec<unknown>['write'],
}

const codecOf = (operation: Operation, side: 'request' | 'reply'): Codec<unknown> => {
  if (operation !== 'multi' && operation !== 'multiRead') {
    return opcodes[operation][side] as Codec<unknown>
  }
  return side === 'request' ? multiRequest : multiResponse
}

const isCodec = (value: unknown): value is Codec<unknown> =>
  typeof value === 'object' && value !== null && 'read' in value && 'write' in value

function ofCodec(name: string, codec: Codec<unknown>): ByteReader {
  return {
    name,
    read: (bytes) => decode(codec, bytes),
    sample: (random) => sampleOf(codec, random),
  }
}

const framed = ({ bytes }: { readonly bytes: Uint8Array }): Uint8Array => {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setInt32(0, bytes.length)
  return joined(head, bytes)
}

const captured = captures.flatMap(({ links }) => links.flat())
const hellos = captured.filter(({ from, handshake }) => from === 'client' && handshake)
const replies = captured.filter(({ from, handshake }) => from === 'server' && !handshake)
const pick = <T>(of: readonly T[], random: Random): T => of[random.next() % of.length] as T

/** A few frames of real clients and a real server, one behind the other. */
const stream = (random: Random): Uint8Array =>
  joined(...Array.from({ length: 1 + (random.next() % 4) }, () => framed(pick(captured, random))))

const txnOf = (random: Random): Uint8Array => {
  const writer = new Writer()
  const changes = Array.from({ length: random.next() % 4 }, () => someChange(random))
  const isMulti = random.next() % 4 === 0
  const body: TxnBody = isMulti ? { type: 'multi', changes } : someChange(random)
  const header = { session: 1n, cxid: 1, zxid: zxidOf(asEpoch(1), 5), time: 1000 }
  writeTxn(writer, { sid: 1, number: 7 }, header, body)
  return writer.take()
}

const batchBytes = (random: Random): Uint8Array => {
  const texts = Array.from({ length: 1 + (random.next() % 3) }, () =>
    'x'.repeat(random.next() % 20),
  )
  return batchOf(zxidOf(asEpoch(random.next() % 4), 1 + (random.next() % 9)), texts).bytes
}

/** Messages that are a repetition of a kind and its record. */
const messages = <R extends object>(
  rows: R,
  write: (into: Writer, message: never) => void,
  random: Random,
): Uint8Array => {
  const writer = new Writer()
  for (let count = 1 + (random.next() % 3); count > 0; count--) {
    const [type, codec] = pick(Object.entries(rows) as [string, Codec<object>][], random)
    write(writer, { ...decode(codec, sampleOf(codec, random)), type } as never)
  }
  return writer.take()
}

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const bytesOf = (of: string): Uint8Array => Uint8Array.from(of, (char) => char.charCodeAt(0))
const addresses = ['127.0.0.1:50412', '[::1]:2181', '10.0.0.0/8', 'fe80::1/64', '::/0', '::ffff:1']

const ofWire: readonly ByteReader[] = [
  {
    name: 'deframer',
    read: (bytes) => {
      const deframer = new Deframer(frameBytesMax)
      for (let at = 0; at < bytes.length; at += 7) deframer.push(bytes.subarray(at, at + 7))
      if (deframer.held > bytes.length) throw new Error('holds more than it was given')
    },
    sample: stream,
  },
  { name: 'whole frames', read: (bytes) => wholeFrames(bytes, frameBytesMax), sample: stream },
  { name: 'frames in a message', read: (bytes) => [...framesIn(bytes)], sample: stream },
  { name: 'opening', read: openingOf, sample: (random) => framed(pick(hellos, random)) },
  {
    name: 'reply header',
    read: (bytes) => readReply(bytes),
    sample: (random) => pick(replies, random).bytes,
  },
  {
    name: 'vouched client',
    read: (bytes) => vouchedClient(text(bytes), 5000, (mac) => mac.length > 3),
    sample: () =>
      bytesOf(
        vouchFor({ address: '10.0.0.1', subject: 'CN=a b' }, 5000, () => 'a mac of some length'),
      ),
  },
  {
    name: 'address',
    read: (bytes) => {
      const host = hostOf(text(bytes))
      if (isAddressPattern(host)) matchesAddress(host, '::1')
      matchesAddress('10.0.0.0/8', host)
    },
    sample: (random) => bytesOf(pick(addresses, random)),
  },
]

const ofMembers: readonly ByteReader[] = [
  {
    name: 'forwarded requests',
    read: readForwarded,
    sample: (random) => {
      const writer = new ForwardWriter()
      const { frame, ...rest } = {
        frame: pick(captured, random).bytes,
        number: 7,
        attachment: 3,
        isLocal: false,
      }
      writer.add({ ...rest, session: 1n, identities: [{ scheme: 'digest', id: 'a:b' }], frame })
      return writer.take()
    },
  },
  { name: 'txn', read: readTxn, sample: txnOf },
  {
    name: 'log batch',
    read: (bytes) => {
      const batch = readBatch(bytes)
      if ([...entriesOf(batch)].length !== batch.count) throw new Error('a batch counts its txns')
      sliceBatch(batch, asZxid(batch.first), asZxid(batch.last - 1))
    },
    sample: batchBytes,
  },
  {
    name: 'packets',
    read: readPackets,
    sample: (random) =>
      writePackets(Array.from({ length: 1 + (random.next() % 3) }, () => pick(allPackets, random))),
  },
  {
    name: 'notification',
    read: readNotification,
    sample: (random) =>
      writeNotification({
        from: asSid(1 + (random.next() % 3)),
        state: pick(['looking', 'following', 'leading', 'observing'], random),
        vote: { leader: asSid(1), zxid: zxidOf(asEpoch(1), 2), epoch: asEpoch(1) },
        round: random.next() % 5,
        asks: false,
        configuration,
        pending: pick([undefined, configuration], random),
      }),
  },
  {
    name: 'snapshot chunk',
    read: rowsOfChunk,
    sample: (random) => {
      const value = new Uint8Array(random.next() % 30)
      const row = { room: random.next() % 4, key: '/a', name: 'b', value }
      return rowsToChunk([row, { ...row, name: 'c' }])
    },
  },
  {
    name: 'znode row',
    read: znodeFromRow,
    sample: (random) =>
      znodeToRow({
        data: random.next() % 2 === 0 ? null : new Uint8Array(random.next() % 30),
        acl: [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }],
        czxid: 1,
        mzxid: 2,
        pzxid: 3,
        ctime: 4,
        mtime: 5,
        version: 6,
        creations: 7,
        aversion: 8,
        owner: 9n,
        childCount: 10,
        digest: 11,
      }),
  },
  { name: 'quota', read: readQuota, sample: () => bytesOf('count=3,bytes=-1=;countHardLimit=5') },
  { name: 'edge, up', read: readUp, sample: (random) => messages(upRecords, writeUp, random) },
  {
    name: 'edge, down',
    read: readDown,
    sample: (random) => messages(downRecords, writeDown, random),
  },
]

/** A header, a body of any operation: as the desk and a client read them. */
const ofOperations: readonly ByteReader[] = (Object.keys(opcodes) as Operation[]).flatMap(
  (operation) =>
    (['request', 'reply'] as const).map((side) => {
      const codec = codecOf(operation, side)
      return {
        name: `${operation} ${side}`,
        read: (bytes: Uint8Array) => codec.read(new Reader(bytes)),
        sample: (random: Random) => sampleOf(codec, random),
      }
    }),
)

const ofRecords: readonly ByteReader[] = Object.entries(records)
  .filter(([, value]) => isCodec(value))
  .map(([name, codec]) => ofCodec(`record ${name}`, codec as Codec<unknown>))

export const byteReaders: readonly ByteReader[] = [
  ...ofWire,
  ...ofMembers,
  ...ofOperations,
  ...ofRecords,
]
