/**
 * The txns a member has logged and still keeps, as the batches they came in. One counter follows another within an
 * epoch, so a zxid between a batch's first and last is in it, and two members that share a zxid share all before it.
 */
import { invariant } from '../shared/assert.ts'
import { limits } from '../shared/limits.ts'
import { counterOf, epochOf, type Zxid } from '../shared/units.ts'
import { type LogBatch, sliceBatch } from './log-batch.ts'

export class History {
  readonly #txnsMax: number
  readonly #counterStart: number
  #base: Zxid
  #batches: LogBatch[] = []
  #txns = 0
  #bytes = 0

  /** `base` is the zxid just before the first txn that is kept. */
  constructor(base: Zxid, batches: readonly LogBatch[], txnsMax: number, counterStart = 0) {
    this.#base = base
    this.#txnsMax = txnsMax
    this.#counterStart = counterStart
    for (const batch of batches) this.append(batch)
  }

  get base(): Zxid {
    return this.#base
  }

  get last(): Zxid {
    return this.#batches.at(-1)?.last ?? this.#base
  }

  get txns(): number {
    return this.#txns
  }

  /** Whether a txn of `next` may come right after `last`: the next counter, or the first of a later epoch. */
  succeeds(last: Zxid, next: Zxid): boolean {
    if (epochOf(next) === epochOf(last)) return next === last + 1
    return epochOf(next) > epochOf(last) && counterOf(next) === this.#counterStart + 1
  }

  append(batch: LogBatch): void {
    invariant(isContiguous(batch), 'a batch is of one epoch and has no gap')
    invariant(batch.first > this.last, 'logged zxids only grow')
    this.#batches.push(batch)
    this.#txns += batch.count
    this.#bytes += batch.bytes.length
  }

  /** Drops every txn above `to`. */
  truncate(to: Zxid): void {
    invariant(this.contains(to), 'a log is truncated to a zxid it has')
    while (this.last > to) {
      const batch = this.#batches.pop() as LogBatch
      this.#txns -= batch.count
      this.#bytes -= batch.bytes.length
      const kept = sliceBatch(batch, this.last, to)
      if (kept) this.append(kept)
    }
  }

  /** Forgets everything: a snapshot of `base` took its place. */
  reset(base: Zxid): void {
    this.#base = base
    this.#batches = []
    this.#txns = 0
    this.#bytes = 0
  }

  /**
   * The tree is durable up to `checkpointed`, so what is older may go, except the newest txns that late learners will
   * ask for, as far as memory allows. Returns the new base: log rows that end at or before it may be deleted.
   */
  forget(checkpointed: Zxid): Zxid {
    invariant(checkpointed >= this.#base, 'a checkpoint has what the log has lost')
    let count = 0
    for (const batch of this.#batches) {
      const isWanted =
        this.#txns - batch.count < this.#txnsMax && this.#bytes <= limits.historyBytesMax
      if (batch.last > checkpointed || isWanted) break
      this.#txns -= batch.count
      this.#bytes -= batch.bytes.length
      this.#base = batch.last
      count += 1
    }
    if (count > 0) this.#batches.splice(0, count)
    return this.#base
  }

  /** Whether this zxid is the base or a txn that is kept. */
  contains(zxid: Zxid): boolean {
    return this.floor(zxid) === zxid
  }

  /** The greatest zxid at or below `zxid` that is the base or kept; undefined below the base. */
  floor(zxid: Zxid): Zxid | undefined {
    if (zxid < this.#base) return undefined
    const batch = this.#batches[this.#indexAfter(zxid) - 1]
    if (!batch) return this.#base
    return zxid < batch.last ? zxid : batch.last
  }

  /** The txns with after < zxid ≤ through, in the batches they came in. */
  batches(after: Zxid, through: Zxid): LogBatch[] {
    invariant(after >= this.#base, 'only what is kept can be given')
    const found: LogBatch[] = []
    for (let i = Math.max(0, this.#indexAfter(after) - 1); i < this.#batches.length; i++) {
      const batch = this.#batches[i] as LogBatch
      if (batch.first > through) break
      const wanted = sliceBatch(batch, after, through)
      if (wanted) found.push(wanted)
    }
    return found
  }

  /** How many batches begin at or below `zxid`. */
  #indexAfter(zxid: Zxid): number {
    let [low, high] = [0, this.#batches.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#batches[middle] as LogBatch).first <= zxid) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Whether a batch is of one epoch and lacks no counter. */
export const isContiguous = (batch: LogBatch): boolean =>
  epochOf(batch.first) === epochOf(batch.last) && batch.last - batch.first + 1 === batch.count
