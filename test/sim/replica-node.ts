/** A whole member: the real replica upon a store that can crash, and its ends of the channels to session actors. */
import { createHash } from 'node:crypto'
import { Random } from '../../src/core/shared/random.ts'
import type { Zxid } from '../../src/core/shared/units.ts'
import { Replica, type ReplicaConfig, type ReplicaTurn } from '../../src/core/replica.ts'
import { checkpointZxidOf } from '../../src/core/tree/tree.ts'
import type { PeerInput, Persist } from '../../src/core/turn.ts'
import { checkState, checkStep, stateOf } from '../../src/core/zab/invariants.ts'
import type { ZabMember } from '../../src/core/zab/member.ts'
import type { EdgeEnd } from './channel.ts'
import type { CrashingStore } from './crashing-store.ts'
import { Node } from './node.ts'

export const authentication = {
  superDigest: undefined,
  requiredSchemes: new Set<string>(),
  sha1: (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('base64'),
}

export class ReplicaNode extends Node {
  readonly replica: Replica
  readonly store: CrashingStore
  /** Ends of channels to session actors, by the number the actor gave. */
  readonly edges = new Map<number, EdgeEnd>()
  readonly edgeOfActor = new Map<number, number>()
  /** How much of what everybody applies this one has applied, and through which zxid. */
  appliedCount = 0
  appliedThrough: Zxid
  /** Until when the output gate holds back what is said. */
  gateMs = 0
  timer = 0
  /** Persists that nobody waits for. */
  readonly unwritten: Persist[] = []
  isWriteLate = false

  constructor(config: ReplicaConfig, store: CrashingStore, seed: number) {
    super(config.sid)
    this.store = store
    const restored = store.restore(checkpointZxidOf(store))
    this.replica = new Replica(config, restored, store, new Random(seed))
    this.appliedThrough = this.replica.tree.applied
  }

  get member(): ZabMember {
    return this.replica.zab
  }

  get applied(): Zxid {
    return this.replica.tree.applied
  }

  start(nowMs: number): ReplicaTurn {
    return this.#step(() => this.replica.start(nowMs))
  }

  receive(nowMs: number, input: PeerInput): ReplicaTurn {
    return this.#step(() => this.replica.receive(nowMs, input))
  }

  receiveEdge(nowMs: number, edge: number, payload: Uint8Array): ReplicaTurn {
    return this.#step(() => this.replica.receiveEdge(nowMs, edge, payload))
  }

  write(persist: Persist): () => void {
    return this.store.write(persist)
  }

  #step(act: () => ReplicaTurn): ReplicaTurn {
    const before = stateOf(this.member)
    const turn = act()
    const after = stateOf(this.member)
    checkState(after)
    checkStep(
      before,
      after,
      turn.persist.some(({ install }) => install !== undefined),
    )
    return turn
  }
}
