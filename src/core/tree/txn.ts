/**
 * A txn: what will change, checked and decided by the leader, the same on every member.
 *
 * In the log it is ZooKeeper's TxnHeader and txn record, after the two numbers that lead its reply back to the request:
 * int sid of the member that asked, int number of the request there.
 */
import {
  type Codec,
  type Decoded,
  int,
  MalformedFrame,
  Reader,
  record,
  type Writer,
} from '../jute/codec.ts'
import * as jute from '../jute/records.ts'
import { errorTxnType, opcodes } from '../wire/opcodes.ts'

/** Txn records by the operation code that stands in their header. */
const records = {
  create: jute.CreateTxn,
  create2: jute.CreateTxn,
  createContainer: jute.CreateContainerTxn,
  createTtl: jute.CreateTtlTxn,
  delete: jute.DeleteTxn,
  deleteContainer: jute.DeleteTxn,
  setData: jute.SetDataTxn,
  setAcl: jute.SetAclTxn,
  check: jute.CheckVersionTxn,
  /** As ZooKeeper has it: the data of /zookeeper/config. */
  reconfig: jute.SetDataTxn,
  createSession: jute.CreateSessionTxn,
  // ZooKeeper's of before 3.6: which ephemerals go, every member knows from its tree. A list of 50,000 fits no log row.
  closeSession: record({}),
} as const

type PlainType = keyof typeof records
type Plain = { [T in PlainType]: { readonly type: T } & Decoded<(typeof records)[T]> }[PlainType]

/** A change inside a multi, or one that stands alone. */
export type Change = Plain | { readonly type: 'error'; readonly err: number }
/** What a txn does. */
export type TxnBody = Change | { readonly type: 'multi'; readonly changes: readonly Change[] }

export interface TxnHeader {
  readonly session: bigint
  readonly cxid: number
  readonly zxid: number
  /** Wall clock of the leader that proposed it, ms. */
  readonly time: number
}

/** Whose request became this txn. */
export interface Origin {
  readonly sid: number
  readonly number: number
}

const Origin = record({ sid: int, number: int })
const multiCode = opcodes.multi.code

const codecs = new Map<number, { type: PlainType; codec: Codec<unknown> }>(
  (Object.keys(records) as PlainType[]).map((type) => [
    opcodes[type].code,
    { type, codec: records[type] as Codec<unknown> },
  ]),
)

export function writeTxn(into: Writer, origin: Origin, header: TxnHeader, body: TxnBody): void {
  Origin.write(into, origin)
  into.id(header.session)
  into.int(header.cxid)
  into.long(header.zxid)
  into.long(header.time)
  if (body.type !== 'multi') {
    const [code, codec] = codeAndCodec(body)
    into.int(code)
    return codec.write(into, body)
  }
  into.int(multiCode)
  into.int(body.changes.length)
  for (const change of body.changes) writeNested(into, change)
}

/** Throws MalformedFrame for bytes that are no txn: a damaged log, or a member of another version. */
export function readTxn(bytes: Uint8Array): { origin: Origin; header: TxnHeader; body: TxnBody } {
  const reader = new Reader(bytes)
  const origin = Origin.read(reader)
  const { clientId, cxid, zxid, time, type } = jute.TxnHeader.read(reader)
  const header = { session: clientId, cxid, zxid, time }
  if (type !== multiCode) return { origin, header, body: readChange(type, reader) }
  const count = reader.int()
  if (count > reader.left) throw new MalformedFrame(`multi of ${count} txns`)
  const changes: Change[] = []
  for (let left = count; left > 0; left--) changes.push(readNested(reader))
  return { origin, header, body: { type: 'multi', changes } }
}

const codeAndCodec = ({ type }: Change): readonly [number, Codec<unknown>] =>
  type === 'error'
    ? [errorTxnType, jute.ErrorTxn as Codec<unknown>]
    : [opcodes[type].code, records[type] as Codec<unknown>]

/** Inside a MultiTxn: int type, then the record as a buffer. */
function writeNested(into: Writer, change: Change): void {
  const [code, codec] = codeAndCodec(change)
  into.int(code)
  const at = into.at
  into.int(0)
  codec.write(into, change)
  into.patchInt(at, into.at - at - 4)
}

function readNested(reader: Reader): Change {
  const code = reader.int()
  const length = reader.int()
  if (length < 0) throw new MalformedFrame('a txn of a multi is null')
  const end = reader.at + length
  const change = readChange(code, reader)
  if (reader.at > end) throw new MalformedFrame('a txn of a multi is longer than it says')
  reader.at = end
  return change
}

function readChange(code: number, reader: Reader): Change {
  if (code === errorTxnType) return { type: 'error', err: jute.ErrorTxn.read(reader).err }
  const row = codecs.get(code)
  if (row === undefined) throw new MalformedFrame(`txn of type ${code}`)
  const value = row.codec.read(reader) as { type?: PlainType }
  value.type = row.type
  return value as Change
}
