/**
 * A member's txn log: one sealed row per batch, by the zxid it begins with, and the zxid that the first of them follows. A row
 * that is missing or is not what was written throws Damage.
 *
 * A batch is a key-value row, which may be written without holding back what the actor says meanwhile. SQLite reads all of
 * such a row whenever it compares its key, some ten times for each row written; so a large one stands in a table by number.
 */
import { invariant } from '../core/shared/assert.ts'
import { sound } from '../core/shared/damage.ts'
import { limits } from '../core/shared/limits.ts'
import { seal, unseal } from '../core/shared/seal.ts'
import { asZxid, counterOf, epochOf, showZxid, type Zxid } from '../core/shared/units.ts'
import { type LogBatch, readBatch, sliceBatch } from '../core/zab/log-batch.ts'
import type { FactStore } from './fact-store.ts'
import { reading } from './reading.ts'

interface StoredBatch {
  readonly first: Zxid
  readonly last: Zxid
  readonly bytes: number
  /** In the table, and not among the key-value rows. */
  readonly isLarge: boolean
}

interface FoundRow {
  readonly batch: LogBatch
  readonly isLarge: boolean
}

const logPrefix = 'log/'
const keyOf = (first: Zxid): string => logPrefix + first.toString(16).padStart(16, '0')
const nameOf = (first: Zxid): string => `the log row ${keyOf(first)}`

export class LogStore {
  readonly #storage: DurableObjectStorage
  readonly #facts: FactStore
  /** Is this row not the log's? Any other is, or is damaged. */
  readonly #isOther: (key: string) => boolean
  /** In order. */
  #rows: StoredBatch[] = []

  constructor(storage: DurableObjectStorage, facts: FactStore, isOther: (key: string) => boolean) {
    this.#storage = storage
    this.#facts = facts
    this.#isOther = isOther
  }

  create(): void {
    this.#storage.sql.exec(
      'create table if not exists batch (first integer primary key, bytes blob)',
    )
  }

  /** All of it, and the zxid just before its first txn. Throws Damage. */
  read(): { readonly base: Zxid; readonly batches: LogBatch[] } {
    const base = this.#base()
    const found = [...this.#smallRows(), ...this.#largeRows()]
    found.sort((a, b) => a.batch.first - b.batch.first)
    this.#rows = []
    let last = base
    for (const { batch, isLarge } of found) {
      const { first } = batch
      const isNext = follows(last, first)
      sound(isNext, `the log lacks what comes between ${showZxid(last)} and ${showZxid(first)}`)
      this.#rows.push({ first, last: batch.last, bytes: batch.bytes.length, isLarge })
      last = batch.last
    }
    return { base, batches: found.map(({ batch }) => batch) }
  }

  /** Safe once the storage is synced; what the actor says meanwhile leaves. */
  append(batch: LogBatch): void {
    if (this.#note(batch).isLarge) this.#putLarge(batch)
    else void this.#storage.put(keyOf(batch.first), seal(batch.bytes), { allowUnconfirmed: true })
  }

  /** The same, and nothing that the actor says leaves before. */
  appendGated(batch: LogBatch): void {
    if (this.#note(batch).isLarge) this.#putLarge(batch)
    else this.#storage.kv.put(keyOf(batch.first), seal(batch.bytes))
  }

  /** What comes after `to` goes; of a batch it falls in, the end does. */
  truncate(to: Zxid): void {
    while ((this.#rows.at(-1)?.last ?? 0) > to) {
      const row = this.#rows.pop() as StoredBatch
      const sealed = this.#sealed(row)
      this.#delete([row])
      if (row.first > to || sealed === undefined) continue
      const bytes = unseal(new Uint8Array(sealed), nameOf(row.first))
      const kept = sliceBatch(readBatch(bytes), asZxid(0), to)
      if (kept !== undefined) this.appendGated(kept)
    }
  }

  /** Drops some of the batches that end at or before `through`, the oldest first. Are there more? */
  dropThrough(through: Zxid): boolean {
    let [count, bytes] = [0, 0]
    for (const row of this.#rows) {
      if (row.last > through || count >= limits.logRowsDroppedAtOnce) break
      if (bytes >= limits.logBytesDroppedAtOnce) break
      count += 1
      bytes += row.bytes
    }
    const dropped = this.#rows.splice(0, count)
    const last = dropped.at(-1)
    if (last === undefined) return false
    this.#storage.transactionSync(() => {
      this.#delete(dropped)
      this.#setBase(last.last)
    })
    return (this.#rows[0]?.last ?? Infinity) <= through
  }

  /** Drops all of it: what comes next follows `zxid`. */
  beginAt(zxid: Zxid): void {
    for (const [key] of this.#storage.kv.list({ prefix: logPrefix })) this.#storage.kv.delete(key)
    this.#storage.sql.exec('delete from batch')
    this.#rows = []
    this.#setBase(zxid)
  }

  *#smallRows(): Generator<FoundRow> {
    for (const [key, bytes] of reading('the log', () => [...this.#storage.kv.list<Uint8Array>()])) {
      if (this.#isOther(key)) continue
      const name = `the log row ${key}`
      const batch = readBatch(unseal(new Uint8Array(bytes), name))
      sound(key === keyOf(batch.first), `${name} is not where it was written`)
      yield { batch, isLarge: false }
    }
  }

  *#largeRows(): Generator<FoundRow> {
    const select = 'select first, bytes from batch order by first'
    const rows = reading('the log', () =>
      this.#storage.sql.exec<{ first: number; bytes: ArrayBuffer }>(select).toArray(),
    )
    for (const { first, bytes } of rows) {
      const name = nameOf(asZxid(first))
      const batch = readBatch(unseal(new Uint8Array(bytes), name))
      sound(first === batch.first, `${name} is not where it was written`)
      yield { batch, isLarge: true }
    }
  }

  #putLarge({ first, bytes }: LogBatch): void {
    this.#storage.sql.exec('insert into batch values (?, ?)', first, seal(bytes))
  }

  #sealed({ first, isLarge }: StoredBatch): Uint8Array | ArrayBuffer | undefined {
    if (!isLarge) return this.#storage.kv.get<Uint8Array>(keyOf(first))
    const select = 'select bytes from batch where first = ?'
    return this.#storage.sql.exec<{ bytes: ArrayBuffer }>(select, first).toArray()[0]?.bytes
  }

  #delete(rows: readonly StoredBatch[]): void {
    for (const { first, isLarge } of rows) {
      if (isLarge) this.#storage.sql.exec('delete from batch where first = ?', first)
      else this.#storage.kv.delete(keyOf(first))
    }
  }

  /** Takes note of a batch that is to be written. */
  #note({ first, last, bytes }: LogBatch): StoredBatch {
    invariant(first > (this.#rows.at(-1)?.last ?? 0), 'the log only grows')
    const isLarge = bytes.length > limits.keyValueBatchBytesMax
    const row = { first, last, bytes: bytes.length, isLarge }
    this.#rows.push(row)
    return row
  }

  #base(): Zxid {
    return asZxid(this.#facts.get('baseEpoch') * 0x1_0000_0000 + this.#facts.get('baseCounter'))
  }

  #setBase(zxid: Zxid): void {
    this.#facts.set('baseEpoch', epochOf(zxid))
    this.#facts.set('baseCounter', counterOf(zxid))
  }
}

const follows = (last: Zxid, next: Zxid): boolean =>
  next === last + 1 || (epochOf(next) > epochOf(last) && counterOf(next) === 1)
