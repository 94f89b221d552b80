/**
 * An ensemble of which only the consensus is real: the fast inner loop, and what the golden traces run in, calmly.
 */
import { asZxid, type Sid, type Zxid } from '../../src/core/shared/units.ts'
import type { Turn } from '../../src/core/turn.ts'
import type { Configuration } from '../../src/core/zab/configuration.ts'
import type { ZabConfig } from '../../src/core/zab/member.ts'
import { Checkers } from './checkers.ts'
import { batchOf, Disk } from './disk.ts'
import { Ensemble } from './ensemble.ts'
import type { Network } from './network.ts'
import { ZabNode } from './zab-node.ts'

export class World extends Ensemble<ZabNode> {
  readonly checkers: Checkers
  readonly disks = new Map<Sid, Disk>()
  /** Whether members say what they mean; if not, nothing is promised but that nobody falls over. */
  isHonest = true
  /** Told of each turn before it is performed. */
  onTurn: (sid: Sid, turn: Turn) => void = () => {}
  readonly #config: Omit<ZabConfig, 'sid'>
  #txns = 0

  constructor(config: Omit<ZabConfig, 'sid'>, network: Network) {
    super(network)
    this.#config = config
    this.checkers = new Checkers()
    for (const sid of config.first.sids) this.disks.set(sid, new Disk())
  }

  /** The first members, and whoever else has a disk. */
  get sids(): Sid[] {
    return [...this.disks.keys()]
  }

  disk(sid: Sid): Disk {
    const disk = this.disks.get(sid) ?? new Disk()
    this.disks.set(sid, disk)
    return disk
  }

  start(sid: Sid): void {
    this.begin(new ZabNode({ ...this.#config, sid }, this.disk(sid), sid))
  }

  /** The disk of a member is found damaged when it starts again, unless too few would be left that know everything. */
  damage(sid: Sid): void {
    const { voters } = this.#config.first
    const whole = voters.filter((one) => one !== sid && !this.disk(one).mustRecover)
    if (whole.length * 2 <= voters.length) return
    this.crash(sid)
    this.disk(sid).damage()
  }

  /** Proposes so many txns at a leader. */
  propose(sid: Sid, count: number): Zxid | undefined {
    const node = this.node(sid)
    if (node?.member.phase.type !== 'leading') return undefined
    const first = asZxid(node.member.lastProposed + 1)
    const batch = batchOf(
      first,
      Array.from({ length: count }, () => `txn ${++this.#txns}`),
    )
    this.checkers.proposedBatch(batch)
    this.perform(node, node.propose(this.clock.nowMs, batch))
    return batch.last
  }

  /** Proposes other members at a leader; whether it may is the replica's to check. */
  reconfigure(sid: Sid, of: (version: Zxid) => Configuration): Zxid | undefined {
    const node = this.node(sid)
    if (node?.member.phase.type !== 'leading') return undefined
    const configuration = of(asZxid(node.member.lastProposed + 1))
    const batch = batchOf(configuration.version, [`txn ${++this.#txns}`], configuration)
    this.checkers.proposedBatch(batch)
    this.perform(node, node.propose(this.clock.nowMs, batch))
    return batch.last
  }

  /** Writes the tree as it is applied now, after what was written before, and lets the log before it go. */
  checkpoint(sid: Sid): void {
    const node = this.node(sid)
    if (!node || node.openSnapshots > 0 || node.isInstalling) return
    const { tree, applied } = node
    const base = node.member.history.forget(applied)
    this.whenDurable(node, () => node.disk.checkpoint(tree, applied, base))
  }

  protected perform(node: ZabNode, turn: Turn): void {
    this.onTurn(node.sid, turn)
    node.apply(turn)
    if (this.isHonest) this.checkers.stepped(node, turn)
    this.sendNotes(node, turn)
    this.sendPackets(node, turn)
    this.persist(node, turn.persist)
    this.disconnect(node, turn)
    if (turn.connect !== undefined) this.connect(node, turn.connect)
    this.#scheduleWake(node)
  }

  #scheduleWake(node: ZabNode): void {
    const atMs = node.member.wakeAtMs
    if (atMs === node.wakeAtMs) return
    node.wakeAtMs = atMs
    this.clock.at(atMs, () => {
      if (node.wakeAtMs !== atMs) return
      node.wakeAtMs = Infinity
      this.take(node, { type: 'wake' })
    })
  }
}
