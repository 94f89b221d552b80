/**
 * Txns that travel and are stored together: one log row, one proposal packet. To zab a txn is a zxid and bytes, but for
 * one kind: a reconfiguration says whose acks count from it on, so its configuration stands beside its bytes.
 *
 * Encoding, a repetition of: long zxid, int length, that many bytes. Of a reconfiguration the length is inverted, and a
 * string follows, the text of the configuration.
 */
import { MalformedFrame, Reader, Writer } from '../jute/codec.ts'
import { invariant } from '../shared/assert.ts'
import { asZxid, type Zxid } from '../shared/units.ts'
import type { Configuration } from './configuration.ts'
import { BadConfiguration, readStoredConfiguration } from './configuration-text.ts'

export interface LogEntry {
  readonly zxid: Zxid
  /** The txn; a view of the batch. */
  readonly txn: Uint8Array
  /** The text of the configuration that a reconfiguration makes. */
  readonly configuration: string | undefined
}

export interface LogBatch {
  readonly first: Zxid
  readonly last: Zxid
  readonly count: number
  readonly bytes: Uint8Array
  /** Of the one reconfiguration that a batch may hold. */
  readonly configuration: Configuration | undefined
}

/** Collects txns of growing zxid into a batch. */
export class BatchWriter {
  readonly #writer = new Writer(4096)
  #first = asZxid(0)
  #last = asZxid(0)
  #count = 0
  #configuration: Configuration | undefined

  get byteLength(): number {
    return this.#writer.at
  }

  /** Appends one txn that `write` writes, with the configuration it makes if it is a reconfiguration. */
  add(zxid: Zxid, write: (writer: Writer) => void, configuration?: Configuration): void {
    invariant(zxid > this.#last, 'zxids only grow within a batch')
    const writer = this.#writer
    writer.long(zxid)
    const length = writer.at
    writer.int(0)
    write(writer)
    const bytes = writer.at - length - 4
    if (configuration === undefined) {
      writer.patchInt(length, bytes)
    } else {
      invariant(configuration.version === zxid, 'the version of a configuration is its zxid')
      invariant(this.#configuration === undefined, 'a batch holds one reconfiguration')
      writer.patchInt(length, ~bytes)
      writer.ustring(configuration.text)
      this.#configuration = configuration
    }
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
      configuration: this.#configuration,
    }
    this.#writer.reset()
    this.#count = 0
    this.#configuration = undefined
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
  let configuration: Configuration | undefined
  while (reader.left > 0) {
    const entry = readEntry(reader)
    const { zxid } = entry
    if (zxid <= last) throw new MalformedFrame('zxids of a batch do not grow')
    if (entry.configuration !== undefined) {
      if (configuration) throw new MalformedFrame('two reconfigurations in one batch')
      configuration = configurationOf(zxid, entry.configuration)
    }
    if (count === 0) first = zxid
    last = zxid
    count += 1
  }
  if (count === 0) throw new MalformedFrame('an empty batch')
  return { first, last, count, bytes, configuration }
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
  const length = reader.int()
  const txn = reader.raw(length < 0 ? ~length : length)
  if (length >= 0) return { zxid, txn, configuration: undefined }
  return { zxid, txn, configuration: reader.ustring() ?? '' }
}

function configurationOf(zxid: Zxid, text: string): Configuration {
  const configuration = storedConfiguration(text)
  if (configuration.version !== zxid) throw new MalformedFrame('a configuration of another version')
  return configuration
}

/** Throws MalformedFrame for a text that is none: a damaged log, or a peer that is no peer. */
export function storedConfiguration(text: string): Configuration {
  try {
    return readStoredConfiguration(text)
  } catch (fault) {
    if (!(fault instanceof BadConfiguration)) throw fault
    throw new MalformedFrame(fault.message)
  }
}
