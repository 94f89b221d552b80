/**
 * Txns as a real ZooKeeper has them on disk, and the digest it had of its tree behind each.
 *
 * A file log.* begins with int magic, int version, long dbid. Then, per txn: long checksum, int length, that many bytes, and
 * a byte 'B'. The bytes are TxnHeader, the txn's record, and since 3.6 TxnDigest: int version, long digest. Zeros end it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { invariant } from '../../src/core/shared/assert.ts'
import { readTxn, type TxnBody, type TxnHeader } from '../../src/core/tree/txn.ts'

export interface LoggedTxn {
  readonly header: TxnHeader
  readonly body: TxnBody
  /** 64 bits in hex, as its `hash` prints them; undefined where none was written. */
  readonly digest: string | undefined
}

const fileHeaderBytes = 16
const digestVersion = 2
const digestBytes = 12
/** In our log the numbers of the request stand before the header. */
const originBytes = 8

/** `folder`: a server's dataDir. */
export function readZooKeeperLog(folder: string): readonly LoggedTxn[] {
  const versioned = join(folder, 'version-2')
  const files = readdirSync(versioned).filter((name) => name.startsWith('log.'))
  const inOrder = files.toSorted((a, b) => zxidIn(a) - zxidIn(b))
  return inOrder.flatMap((name) => [...entriesOf(readFileSync(join(versioned, name)))])
}

const zxidIn = (name: string): number => Number.parseInt(name.slice('log.'.length), 16)

function* entriesOf(bytes: Buffer): Generator<LoggedTxn> {
  invariant(bytes.toString('latin1', 0, 4) === 'ZKLG', 'a log of ZooKeeper')
  for (let at = fileHeaderBytes; at + 12 < bytes.length;) {
    const length = bytes.readInt32BE(at + 8)
    if (length === 0) return
    at += 12
    const entry = bytes.subarray(at, at + length)
    at += length
    invariant(bytes[at] === 0x42, 'an entry ends with its mark')
    at += 1
    const { header, body } = readTxn(Buffer.concat([Buffer.alloc(originBytes), entry]))
    const tail = entry.length - digestBytes
    const isDigested = body.type !== 'error' && entry.readInt32BE(tail) === digestVersion
    const digest = isDigested ? entry.readBigUInt64BE(tail + 4).toString(16) : undefined
    yield { header, body: lawful(body), digest }
  }
}

/** In a multi that failed ZooKeeper leaves what stood before the fault; whoever applies it must know that it is void. */
function lawful(body: TxnBody): TxnBody {
  if (body.type !== 'multi' || body.changes.every(({ type }) => type !== 'error')) return body
  return { type: 'multi', changes: body.changes.map(() => ({ type: 'error', err: 0 })) }
}
