/**
 * A member's txn log: one sealed key-value row per batch, by the zxid it begins with, and the zxid that the first of them
 * follows. A row that is missing or is not what was written throws Damage.
 */
import { invariant } from '../core/shared/assert.ts'
import { sound } from '../core/shared/damage.ts'
import { seal, unseal } from '../core/shared/seal.ts'
import { asZxid, counterOf, epochOf, showZxid, type Zxid } from '../core/shared/units.ts'
import { type LogBatch, readBatch, sliceBatch } from '../core/zab/log-batch.ts'
import type { FactStore } from './fact-store.ts'
import { reading } from './reading.ts'

interface StoredBatch {
  readonly key: string
  readonly first: Zxid
  readonly last: Zxid
}

const logPrefix = 'log/'
const keyOf = (first: Zxid): string => logPrefix + first.toString(16).padStart(16, '0')

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

  /** All of it, and the zxid just before its first txn. Throws Damage. */
  read(): { readonly base: Zxid; readonly batches: LogBatch[] } {
    const base = this.#base()
    const batches: LogBatch[] = []
    this.#rows = []
    let last = base
    for (const [key, bytes] of reading('the log', () => [...this.#storage.kv.list<Uint8Array>()])) {
      if (this.#isOther(key)) continue
      const batch = readBatch(unseal(new Uint8Array(bytes), `the log row ${key}`))
      const { first } = batch
      sound(key === keyOf(first), `the log row ${key} is not where it was written`)
      const isNext = follows(last, first)
      sound(isNext, `the log lacks what comes between ${showZxid(last)} and ${showZxid(first)}`)
      batches.push(batch)
      this.#rows.push({ key, first, last: batch.last })
      last = batch.last
    }
    return { base, batches }
  }

  /** Written without holding back what the actor says meanwhile: safe once the storage is synced. */
  append(batch: LogBatch): void {
    void this.#storage.put(this.#note(batch), seal(batch.bytes), { allowUnconfirmed: true })
  }

  appendInTransaction(batch: LogBatch): void {
    this.#storage.kv.put(this.#note(batch), seal(batch.bytes))
  }

  /** What comes after `to` goes; of a batch it falls in, the end does. */
  truncate(to: Zxid): void {
    while ((this.#rows.at(-1)?.last ?? 0) > to) {
      const { key, first } = this.#rows.pop() as StoredBatch
      const sealed = this.#storage.kv.get<Uint8Array>(key)
      this.#storage.kv.delete(key)
      if (first > to || sealed === undefined) continue
      const bytes = unseal(new Uint8Array(sealed), `the log row ${key}`)
      const kept = sliceBatch(readBatch(bytes), asZxid(0), to)
      if (kept !== undefined) this.appendInTransaction(kept)
    }
  }

  /** Drops the batches that end at or before `through`. */
  dropThrough(through: Zxid): void {
    const kept = this.#rows.findIndex((batch) => batch.last > through)
    const dropped = this.#rows.splice(0, kept < 0 ? this.#rows.length : kept)
    const last = dropped.at(-1)
    if (last === undefined) return
    this.#storage.transactionSync(() => {
      for (const { key } of dropped) this.#storage.kv.delete(key)
      this.#setBase(last.last)
    })
  }

  /** Drops all of it: what comes next follows `zxid`. */
  beginAt(zxid: Zxid): void {
    for (const [key] of this.#storage.kv.list({ prefix: logPrefix })) this.#storage.kv.delete(key)
    this.#rows = []
    this.#setBase(zxid)
  }

  /** The key of a batch that is to be written. */
  #note({ first, last }: LogBatch): string {
    invariant(first > (this.#rows.at(-1)?.last ?? 0), 'the log only grows')
    const key = keyOf(first)
    this.#rows.push({ key, first, last })
    return key
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
