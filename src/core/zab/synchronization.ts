/**
 * Phase 2: every learner's history becomes its leader's. The leader chooses what each of them lacks; the learner
 * gathers it and takes it over in one persist when NEWLEADER ends it.
 */
import { type Epoch, epochOf, type Zxid } from '../shared/units.ts'
import { type History, isContiguous } from './history.ts'
import type { Catchup } from './journal.ts'
import type { LogBatch } from './log-batch.ts'
import { demand } from './peer-fault.ts'
import { showPoint } from './show.ts'

/** How a learner that ends at some zxid is brought to ours. */
export type Remedy =
  | { readonly type: 'diff'; readonly after: Zxid }
  | { readonly type: 'trunc'; readonly to: Zxid }
  | { readonly type: 'snap' }

/**
 * DIFF if we have the learner's last zxid, TRUNC to the last txn we share if it knows more, else SNAP. A shared zxid
 * means a shared history before it, and all that is known of a txn we lack is that it came after those of its own
 * epoch: so a TRUNC never crosses an epoch.
 */
export function chooseRemedy(history: History, learnerLast: Zxid, through: Zxid): Remedy {
  if (learnerLast <= through && history.contains(learnerLast)) {
    return { type: 'diff', after: learnerLast }
  }
  const shared = history.floor(learnerLast < through ? learnerLast : through)
  if (shared === undefined || epochOf(shared) !== epochOf(learnerLast)) return { type: 'snap' }
  return { type: 'trunc', to: shared }
}

/** What a learner is being given, until NEWLEADER; nothing of it counts before. */
export class CatchupDraft {
  readonly #history: History
  readonly #epoch: Epoch
  readonly #batches: LogBatch[] = []
  #install: Zxid | undefined
  #truncate: Zxid | undefined
  #chunksEnded = true
  #last: Zxid

  private constructor(history: History, epoch: Epoch, from: Zxid) {
    demand(epochOf(from) <= epoch, `${showPoint(from)} before epoch ${epoch}`)
    this.#history = history
    this.#epoch = epoch
    this.#last = from
  }

  static diff(history: History, epoch: Epoch): CatchupDraft {
    return new CatchupDraft(history, epoch, history.last)
  }

  static trunc(history: History, epoch: Epoch, to: Zxid): CatchupDraft {
    const draft = new CatchupDraft(history, epoch, to)
    draft.#truncate = to
    return draft
  }

  static snap(history: History, epoch: Epoch, zxid: Zxid): CatchupDraft {
    const draft = new CatchupDraft(history, epoch, zxid)
    draft.#install = zxid
    draft.#chunksEnded = false
    return draft
  }

  addChunk(last: boolean): void {
    demand(!this.#chunksEnded, 'a chunk of a snapshot that has ended')
    this.#chunksEnded = last
  }

  add(batch: LogBatch): void {
    demand(this.#chunksEnded, 'a proposal within a snapshot')
    demandNext(this.#history, this.#last, batch)
    const { first } = batch
    demand(epochOf(first) <= this.#epoch, `${showPoint(first)} before epoch ${this.#epoch}`)
    this.#batches.push(batch)
    this.#last = batch.last
  }

  finish(): Catchup {
    demand(this.#chunksEnded, 'NEWLEADER within a snapshot')
    return { install: this.#install, truncate: this.#truncate, batches: this.#batches }
  }
}

/** A batch must begin where `last` ends. */
export function demandNext(history: History, last: Zxid, batch: LogBatch): void {
  demand(isContiguous(batch), 'a batch with a gap')
  const gap = `a gap: ${showPoint(batch.first)} after ${showPoint(last)}`
  demand(history.succeeds(last, batch.first), gap)
}
