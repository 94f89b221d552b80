/** What a store keeps whose tree is the list of applied txns, and what a crash leaves of it: persists become durable one by one, in order. */
import { invariant } from '../../src/core/shared/assert.ts'
import { type Epoch, asEpoch, asZxid, type Zxid } from '../../src/core/shared/units.ts'
import type { Persist } from '../../src/core/turn.ts'
import type { Configuration } from '../../src/core/zab/configuration.ts'
import {
  BatchWriter,
  entriesOf,
  type LogBatch,
  readBatch,
  sliceBatch,
} from '../../src/core/zab/log-batch.ts'
import type { RestoredLog } from '../../src/core/zab/member.ts'
import type { Applied } from './zab-laws.ts'

export class Disk {
  acceptedEpoch: Epoch = asEpoch(0)
  currentEpoch: Epoch = asEpoch(0)
  base: Zxid = asZxid(0)
  batches: LogBatch[] = []
  /** The checkpointed tree, and the last zxid in it. */
  tree: readonly Applied[] = []
  checkpointed: Zxid = asZxid(0)
  /** Damage took what was on it, but not its promise. */
  mustRecover = false
  configuration: Configuration | undefined
  #stage: { zxid: Zxid; tree: Applied[] } | undefined

  get last(): Zxid {
    return this.batches.at(-1)?.last ?? this.base
  }

  restored(): RestoredLog {
    const { acceptedEpoch, currentEpoch, base, mustRecover, configuration } = this
    const batches = [...this.batches]
    const committed = this.checkpointed
    return { acceptedEpoch, currentEpoch, base, batches, committed, mustRecover, configuration }
  }

  /** Its checksums were wrong: everything is put aside but the epoch that was promised. */
  damage(): void {
    this.mustRecover = true
    this.currentEpoch = asEpoch(0)
    this.base = asZxid(0)
    this.batches = []
    this.tree = []
    this.checkpointed = asZxid(0)
    this.#stage = undefined
  }

  /** Performs one persist, in the order of its fields. */
  write(persist: Persist): void {
    if (persist.acceptedEpoch !== undefined) this.acceptedEpoch = persist.acceptedEpoch
    if (persist.stageBegin !== undefined) this.#stage = { zxid: persist.stageBegin, tree: [] }
    if (persist.stageChunk) this.#stage?.tree.push(...readChunk(persist.stageChunk))
    if (persist.recovered === true) this.mustRecover = false
    if (persist.install !== undefined) this.#install(persist.install)
    if (persist.truncate !== undefined) this.#truncate(persist.truncate)
    for (const batch of persist.append ?? []) {
      invariant(batch.first > this.last, 'the disk is given growing zxids')
      this.batches.push(batch)
    }
    if (persist.currentEpoch !== undefined) this.currentEpoch = persist.currentEpoch
    if (persist.configuration !== undefined) this.configuration = persist.configuration
  }

  /** The tree as it was at `zxid` is written, and the log up to `base` is dropped. */
  checkpoint(tree: readonly Applied[], zxid: Zxid, base: Zxid): void {
    this.tree = tree
    this.checkpointed = zxid
    this.batches = this.batches.filter((batch) => batch.last > base)
    this.base = base
  }

  #install(zxid: Zxid): void {
    invariant(this.#stage?.zxid === zxid, 'what is installed was staged')
    this.tree = this.#stage.tree
    this.checkpointed = zxid
    this.base = zxid
    this.batches = []
    this.#stage = undefined
  }

  #truncate(to: Zxid): void {
    this.batches = this.batches.flatMap((batch) => sliceBatch(batch, asZxid(0), to) ?? [])
  }
}

/** A batch of `count` txns from `first` on, each with its text; the last may be a reconfiguration. */
export function batchOf(
  first: Zxid,
  texts: readonly string[],
  configuration?: Configuration,
): LogBatch {
  const writer = new BatchWriter()
  texts.forEach((text, index) => {
    const made = index === texts.length - 1 ? configuration : undefined
    writer.add(asZxid(first + index), (into) => into.raw(new TextEncoder().encode(text)), made)
  })
  const batch = writer.take()
  invariant(batch !== undefined, 'a batch has a txn')
  return batch
}

export const appliedOf = (batch: LogBatch): Applied[] =>
  [...entriesOf(batch)].map(({ zxid, txn }) => ({ zxid, txn: new TextDecoder().decode(txn) }))

/** A snapshot's chunk is a batch of its txns, empty for an empty tree. */
const readChunk = (bytes: Uint8Array): Applied[] =>
  bytes.length === 0 ? [] : appliedOf(readBatch(bytes))

export function* chunksOf(tree: readonly Applied[], size: number): Generator<Uint8Array> {
  for (let at = 0; at < tree.length; at += size) {
    const writer = new BatchWriter()
    for (const { zxid, txn } of tree.slice(at, at + size)) {
      writer.add(zxid, (into) => into.raw(new TextEncoder().encode(txn)))
    }
    yield writer.take()?.bytes ?? new Uint8Array()
  }
}
