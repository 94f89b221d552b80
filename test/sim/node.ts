/** One member of the simulated world: its disk, and while it runs its consensus and the tree it applied. */
import { Random } from '../../src/core/shared/random.ts'
import type { Sid, Zxid } from '../../src/core/shared/units.ts'
import type { LinkId, PeerInput, Turn } from '../../src/core/turn.ts'
import { newTurn } from '../../src/core/turn.ts'
import { checkState, checkStep, stateOf } from '../../src/core/zab/invariants.ts'
import type { LogBatch } from '../../src/core/zab/log-batch.ts'
import { type OpenSnapshot, type ZabConfig, ZabMember } from '../../src/core/zab/member.ts'
import { type Applied, appliedOf, chunksOf, type Disk } from './disk.ts'

/** Txns in a chunk of a snapshot: few, so that snapshots have several. */
const chunkTxns = 3

export class Node {
  readonly config: ZabConfig
  readonly disk: Disk
  readonly member: ZabMember
  /** Ends of links as this incarnation numbers them. */
  readonly links = new Map<LinkId, LinkEnd>()
  tree: readonly Applied[]
  /** The last zxid in the tree. */
  applied: Zxid
  isAlive = true
  nextLink = 1
  wakeAtMs = Infinity
  openSnapshots = 0
  /** A snapshot is on its way to the disk: the tree in memory is not the one the log continues. */
  isInstalling = false
  /** When the last persist asked for is durable. */
  durableMs = 0
  /** Numbers of the last persist on disk, and of the last one the member was told of. */
  durable = 0
  reported = 0

  constructor(config: ZabConfig, disk: Disk, seed: number) {
    this.config = config
    this.disk = disk
    this.tree = disk.tree
    this.applied = disk.checkpointed
    const snapshots = { open: () => this.#openSnapshot() }
    this.member = new ZabMember(config, disk.restored(), snapshots, new Random(seed))
  }

  get sid(): Sid {
    return this.config.sid
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

/** One end of a link. */
export interface LinkEnd {
  readonly link: LinkId
  readonly node: Node
  readonly incoming: boolean
  other: LinkEnd | undefined
  /** When the last thing sent from this end arrives: nothing overtakes it. */
  arrivesMs: number
  isOpen: boolean
}
