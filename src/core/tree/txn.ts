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
  if (body.type !== 'multi') return writeTypeAndChange(into, body)
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
  const { txns } = jute.MultiTxn.read(reader)
  const changes = txns.map((txn) => readChange(txn.type, new Reader(nonNull(txn.data))))
  return { origin, header, body: { type: 'multi', changes } }
}

function writeTypeAndChange(into: Writer, change: Change): void {
  if (change.type === 'error') {
    into.int(errorTxnType)
    jute.ErrorTxn.write(into, change)
    return
  }
  into.int(opcodes[change.type].code)
  ;(records[change.type] as Codec<unknown>).write(into, change)
}

/** Inside a MultiTxn: int type, then the record as a buffer. */
function writeNested(into: Writer, change: Change): void {
  const at = into.at
  writeTypeAndChange(into, change)
  const body = into.from(at + 4)
  into.at = at + 4
  into.buffer(body)
}

function readChange(code: number, reader: Reader): Change {
  if (code === errorTxnType) return { type: 'error', err: jute.ErrorTxn.read(reader).err }
  const row = codecs.get(code)
  if (row === undefined) throw new MalformedFrame(`txn of type ${code}`)
  const value = row.codec.read(reader) as { type?: PlainType }
  value.type = row.type
  return value as Change
}

function nonNull(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new MalformedFrame('a txn of a multi is null')
  return bytes
}
