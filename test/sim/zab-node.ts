/** A member of which only the consensus is real: its tree is the list of the txns it applied. */
import { Random } from '../../src/core/shared/random.ts'
import type { Zxid } from '../../src/core/shared/units.ts'
import { newTurn, type PeerInput, type Persist, type Turn } from '../../src/core/turn.ts'
import { checkState, checkStep, stateOf } from '../../src/core/zab/invariants.ts'
import type { LogBatch } from '../../src/core/zab/log-batch.ts'
import { type OpenSnapshot, type ZabConfig, ZabMember } from '../../src/core/zab/member.ts'
import { appliedOf, chunksOf, type Disk } from './disk.ts'
import { Node } from './node.ts'
import type { Applied } from './zab-laws.ts'

/** Txns in a chunk of a snapshot: few, so that snapshots have several. */
const chunkTxns = 3

export class ZabNode extends Node {
  readonly disk: Disk
  readonly member: ZabMember
  tree: readonly Applied[]
  /** The last zxid in the tree. */
  applied: Zxid
  openSnapshots = 0
  /** A snapshot is on its way to the disk: the tree in memory is not the one the log continues. */
  isInstalling = false

  constructor(config: ZabConfig, disk: Disk, seed: number) {
    super(config.sid)
    this.disk = disk
    this.tree = disk.tree
    this.applied = disk.checkpointed
    const snapshots = { open: () => this.#openSnapshot() }
    this.member = new ZabMember(config, disk.restored(), snapshots, new Random(seed))
  }

  start(nowMs: number): Turn {
    return this.#step((turn) => this.member.start(nowMs, turn))
  }

  receive(nowMs: number, input: PeerInput): Turn {
    return this.#step((turn) => this.member.receive(nowMs, input, turn))
  }

  propose(nowMs: number, batch: LogBatch): Turn {
    return this.#step((turn) => this.member.propose(nowMs, batch, turn))
  }

  write(persist: Persist): () => void {
    return () => this.disk.write(persist)
  }

  /** Applies what the turn says is committed; a snapshot that was installed comes first. */
  apply(turn: Turn): void {
    if (turn.persist.some(({ install }) => install !== undefined)) this.isInstalling = true
    if (turn.installed !== undefined) {
      this.isInstalling = false
      this.tree = this.disk.tree
      this.applied = turn.installed
    }
    const { committed } = turn
    if (committed === undefined || committed <= this.applied) return
    const batches = this.member.history.batches(this.applied, committed)
    this.tree = [...this.tree, ...batches.flatMap(appliedOf)]
    this.applied = committed
  }

  #step(act: (turn: Turn) => void): Turn {
    const before = stateOf(this.member)
    const turn = newTurn()
    act(turn)
    const after = stateOf(this.member)
    checkState(after)
    checkStep(
      before,
      after,
      turn.persist.some(({ install }) => install !== undefined),
    )
    return turn
  }

  #openSnapshot(): OpenSnapshot {
    const chunks = chunksOf(this.tree, chunkTxns)
    this.openSnapshots += 1
    return {
      zxid: this.applied,
      next: () => chunks.next().value ?? undefined,
      close: () => {
        this.openSnapshots -= 1
      },
    }
  }
}
