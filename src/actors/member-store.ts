/**
 * A member's disk: txn log, checkpoint, epochs. Every SQL string of the member is here.
 *
 * The log is one key-value row per batch, written without holding back what the actor says meanwhile; `durable` tells
 * when it is safe. The checkpoint is a table of rows by generation: a snapshot is staged under the next generation and
 * takes over in one transaction, so a crash leaves the old tree or the new one.
 */
import { invariant } from '../core/shared/assert.ts'
import { asEpoch, asZxid, type Epoch, type Zxid } from '../core/shared/units.ts'
import { type Row, type RowChange, type RowKey, type RowTable } from '../core/tree/row-table.ts'
import { rowsOfChunk } from '../core/tree/snapshot.ts'
import type { Persist } from '../core/turn.ts'
import { type LogBatch, readBatch, sliceBatch } from '../core/zab/log-batch.ts'
import type { RestoredLog } from '../core/zab/member.ts'

interface StoredBatch {
  readonly key: string
  readonly first: Zxid
  readonly last: Zxid
}

const logPrefix = 'log/'
const keyOf = (first: Zxid): string => logPrefix + first.toString(16).padStart(16, '0')

export class MemberStore implements RowTable {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  /** The rows of the log, in order. */
  #log: StoredBatch[] = []
  #generation: number
  #stopped: boolean
  #stagedGeneration: number | undefined

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    this.#sql.exec(`create table if not exists row (
      generation integer, room integer, key text, name text, value blob,
      primary key (generation, room, key, name)) without rowid`)
    this.#sql.exec(
      'create table if not exists fact (name text primary key, value integer) without rowid',
    )
    this.#generation = this.#fact('generation') ?? 0
    this.#stopped = this.#fact('stopped') === 1
    // A stage that a crash interrupted is of no use to anybody.
    this.#sql.exec('delete from row where generation > ?', this.#generation)
  }

  /** Was this member taken out of service? It stays out over restarts. */
  get isStopped(): boolean {
    return this.#stopped
  }

  set isStopped(stopped: boolean) {
    this.#stopped = stopped
    this.#setFact('stopped', stopped ? 1 : 0)
  }

  /** Everything a waking member needs of its log. Throws MalformedFrame for a damaged row. */
  restore(committed: Zxid): RestoredLog {
    const batches: LogBatch[] = []
    for (const [key, bytes] of this.#storage.kv.list<Uint8Array>({ prefix: logPrefix })) {
      const batch = readBatch(new Uint8Array(bytes))
      batches.push(batch)
      this.#log.push({ key, first: batch.first, last: batch.last })
    }
    return {
      acceptedEpoch: asEpoch(this.#fact('acceptedEpoch') ?? 0),
      currentEpoch: asEpoch(this.#fact('currentEpoch') ?? 0),
      base: this.#base(),
      batches,
      committed,
    }
  }

  /** Writes what a turn must persist. Safe once `durable` resolves, not before. */
  write(persists: readonly Persist[]): void {
    for (const persist of persists) {
      if (isAppendOnly(persist)) for (const batch of persist.append) this.#append(batch, true)
      else this.#storage.transactionSync(() => this.#writeAll(persist))
    }
  }

  /** Resolves when everything written before is on disk. */
  durable(): Promise<void> {
    return this.#storage.sync()
  }

  /** Brings the checkpoint up to date in one transaction. */
  writeCheckpoint(rows: readonly RowChange[]): void {
    this.#storage.transactionSync(() => {
      for (const row of rows) this.#writeRow(this.#generation, row)
    })
  }

  /** Drops the batches that end at or before `through`. */
  dropLog(through: Zxid): void {
    const kept = this.#log.findIndex((batch) => batch.last > through)
    const dropped = this.#log.splice(0, kept < 0 ? this.#log.length : kept)
    const last = dropped.at(-1)
    if (last === undefined) return
    this.#storage.transactionSync(() => {
      for (const { key } of dropped) this.#storage.kv.delete(key)
      this.#setBase(last.last)
    })
  }

  get(room: number, key: string, name: string): Uint8Array | undefined {
    const found = this.#sql
      .exec<{ value: ArrayBuffer }>(
        'select value from row where generation = ? and room = ? and key = ? and name = ?',
        this.#generation,
        room,
        key,
        name,
      )
      .toArray()[0]
    return found === undefined ? undefined : new Uint8Array(found.value)
  }

  names(room: number, key: string): string[] {
    const found = this.#sql.exec<{ name: string }>(
      'select name from row where generation = ? and room = ? and key = ?',
      this.#generation,
      room,
      key,
    )
    return Array.from(found, ({ name }) => name)
  }

  page(after: RowKey | undefined, bytesMax: number): Row[] {
    const found = this.#sql.exec<{ room: number; key: string; name: string; value: ArrayBuffer }>(
      `select room, key, name, value from row
       where generation = ? and (room, key, name) > (?, ?, ?) order by room, key, name`,
      this.#generation,
      after?.room ?? -1,
      after?.key ?? '',
      after?.name ?? '',
    )
    const rows: Row[] = []
    let bytes = 0
    for (const { room, key, name, value } of found) {
      rows.push({ room, key, name, value: new Uint8Array(value) })
      bytes += value.byteLength + key.length + name.length
      if (bytes >= bytesMax) break
    }
    return rows
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#sql.databaseSize
  }

  #writeAll(persist: Persist): void {
    if (persist.acceptedEpoch !== undefined) this.#setFact('acceptedEpoch', persist.acceptedEpoch)
    if (persist.stageBegin !== undefined) this.#beginStage()
    if (persist.stageChunk !== undefined) this.#stage(persist.stageChunk)
    if (persist.install !== undefined) this.#install(persist.install)
    if (persist.truncate !== undefined) this.#truncate(persist.truncate)
    for (const batch of persist.append ?? []) this.#append(batch, false)
    if (persist.currentEpoch !== undefined) this.#setFact('currentEpoch', persist.currentEpoch)
  }

  #append(batch: LogBatch, unconfirmed: boolean): void {
    const { first, last, bytes } = batch
    invariant(first > (this.#log.at(-1)?.last ?? 0), 'the log only grows')
    const key = keyOf(first)
    this.#log.push({ key, first, last })
    // A view would be stored with all of the buffer behind it.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
    if (unconfirmed) void this.#storage.put(key, own, { allowUnconfirmed: true })
    else this.#storage.kv.put(key, own)
  }

  #truncate(to: Zxid): void {
    while ((this.#log.at(-1)?.last ?? 0) > to) {
      const { key, first } = this.#log.pop() as StoredBatch
      const bytes = this.#storage.kv.get<Uint8Array>(key)
      this.#storage.kv.delete(key)
      if (first > to || bytes === undefined) continue
      const kept = sliceBatch(readBatch(new Uint8Array(bytes)), asZxid(0), to)
      if (kept !== undefined) this.#append(kept, false)
    }
  }

  #beginStage(): void {
    this.#stagedGeneration = this.#generation + 1
    this.#sql.exec('delete from row where generation = ?', this.#stagedGeneration)
  }

  #stage(chunk: Uint8Array): void {
    const generation = this.#stagedGeneration
    invariant(generation !== undefined, 'a chunk belongs to a stage that was begun')
    for (const row of rowsOfChunk(chunk)) this.#writeRow(generation, row)
  }

  #install(zxid: Zxid): void {
    const generation = this.#stagedGeneration
    invariant(generation !== undefined, 'a snapshot is staged before it is installed')
    this.#sql.exec('delete from row where generation = ?', this.#generation)
    for (const { key } of this.#log) this.#storage.kv.delete(key)
    this.#log = []
    this.#generation = generation
    this.#stagedGeneration = undefined
    this.#setFact('generation', generation)
    this.#setBase(zxid)
  }

  #writeRow(generation: number, { room, key, name, value }: RowChange): void {
    if (value === null) {
      this.#sql.exec(
        'delete from row where generation = ? and room = ? and key = ? and name = ?',
        generation,
        room,
        key,
        name,
      )
    } else {
      this.#sql.exec(
        'insert or replace into row values (?, ?, ?, ?, ?)',
        generation,
        room,
        key,
        name,
        value,
      )
    }
  }

  /** The zxid just before the first txn of the log. A number above 2^31 is kept in two facts. */
  #base(): Zxid {
    return asZxid((this.#fact('baseEpoch') ?? 0) * 0x1_0000_0000 + (this.#fact('baseCounter') ?? 0))
  }

  #setBase(zxid: Zxid): void {
    this.#setFact('baseEpoch', Math.floor(zxid / 0x1_0000_0000) as Epoch)
    this.#setFact('baseCounter', zxid % 0x1_0000_0000)
  }

  #fact(name: string): number | undefined {
    return this.#sql
      .exec<{ value: number }>('select value from fact where name = ?', name)
      .toArray()[0]?.value
  }

  #setFact(name: string, value: number): void {
    this.#sql.exec('insert or replace into fact values (?, ?)', name, value)
  }
}

function isAppendOnly(
  persist: Persist,
): persist is Persist & { readonly append: readonly LogBatch[] } {
  const { append, acceptedEpoch, stageBegin, stageChunk, install, truncate, currentEpoch } = persist
  const others = [acceptedEpoch, stageBegin, stageChunk, install, truncate, currentEpoch]
  return append !== undefined && others.every((part) => part === undefined)
}
