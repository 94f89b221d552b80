/**
 * Txns that travel and are stored together: one log row, one proposal packet. To zab a txn is a zxid and bytes.
 *
 * Encoding, a repetition of: long zxid, int length, that many bytes.
 */
import { MalformedFrame, Reader, Writer } from '../jute/codec.ts'
import { invariant } from '../shared/assert.ts'
import { asZxid, type Zxid } from '../shared/units.ts'

export interface LogEntry {
  readonly zxid: Zxid
  /** The txn; a view of the batch. */
  readonly txn: Uint8Array
}

export interface LogBatch {
  readonly first: Zxid
  readonly last: Zxid
  readonly count: number
  readonly bytes: Uint8Array
}

/** Collects txns of growing zxid into a batch. */
export class BatchWriter {
  readonly #writer = new Writer(4096)
  #first = asZxid(0)
  #last = asZxid(0)
  #count = 0

  get count(): number {
    return this.#count
  }

  get byteLength(): number {
    return this.#writer.at
  }

  /** Appends one txn that `write` writes. */
  add(zxid: Zxid, write: (writer: Writer) => void): void {
    invariant(zxid > this.#last, 'zxids only grow within a batch')
    const writer = this.#writer
    writer.long(zxid)
    const length = writer.at
    writer.int(0)
    write(writer)
    writer.patchInt(length, writer.at - length - 4)
    if (this.#count === 0) this.#first = zxid
    this.#last = zxid
    this.#count += 1
  }

  /** The batch so far, undefined if nothing was added; the writer is empty afterwards. */
  take(): LogBatch | undefined {
    if (this.#count === 0) return undefined
    const batch = {
      first: this.#first,
      last: this.#last,
      count: this.#count,
      bytes: this.#writer.take(),
    }
    this.#writer.reset()
    this.#count = 0
    return batch
  }
}

/** The txns of a batch, in order. */
export function* entriesOf(batch: LogBatch): Generator<LogEntry> {
  const reader = new Reader(batch.bytes)
  while (reader.left > 0) yield readEntry(reader)
}

/** A batch from the bytes of a log row or a packet. Throws MalformedFrame if they are none. */
export function readBatch(bytes: Uint8Array): LogBatch {
  const reader = new Reader(bytes)
  let [first, last, count] = [asZxid(0), asZxid(0), 0]
  while (reader.left > 0) {
    const { zxid } = readEntry(reader)
    if (zxid <= last) throw new MalformedFrame('zxids of a batch do not grow')
    if (count === 0) first = zxid
    last = zxid
    count += 1
  }
  if (count === 0) throw new MalformedFrame('an empty batch')
  return { first, last, count, bytes }
}

/** The txns of a batch with after < zxid ≤ through; undefined if there is none. */
export function sliceBatch(batch: LogBatch, after: Zxid, through: Zxid): LogBatch | undefined {
  if (batch.first > after && batch.last <= through) return batch
  const reader = new Reader(batch.bytes)
  let [from, to] = [-1, 0]
  while (reader.left > 0) {
    const at = reader.at
    const { zxid } = readEntry(reader)
    if (zxid > through) break
    if (zxid > after && from < 0) from = at
    to = reader.at
  }
  return from < 0 || to <= from ? undefined : readBatch(batch.bytes.slice(from, to))
}

function readEntry(reader: Reader): LogEntry {
  const zxid = asZxid(reader.long())
  const txn = reader.buffer()
  if (txn === null) throw new MalformedFrame('a txn of a batch is null')
  return { zxid, txn }
}
