/**
 * ZAB's promises, checked from outside and by the names its authors gave them (Junqueira, Reed, Serafini 2011; the
 * TLA+ specification of ZooKeeper).
 */
import { invariant } from '../../src/core/shared/assert.ts'
import { type Epoch, epochOf, type Zxid } from '../../src/core/shared/units.ts'
import type { Turn } from '../../src/core/turn.ts'
import type { LogBatch } from '../../src/core/zab/log-batch.ts'
import { type Applied, appliedOf } from './disk.ts'
import type { Node } from './node.ts'

export class Checkers {
  readonly #proposed = new Map<Zxid, string>()
  readonly #leaders = new Map<Epoch, Node>()
  /** Everything any member ever applied, in order. */
  readonly applied: Applied[] = []
  /** How much of a node's tree was compared. */
  readonly #compared = new WeakMap<Node, { tree: readonly Applied[]; count: number }>()
  elections = 0
  snapshots = 0
  truncations = 0

  proposed(batch: LogBatch): void {
    for (const { zxid, txn } of appliedOf(batch)) {
      invariant(!this.#proposed.has(zxid), 'Integrity: a zxid is proposed once')
      this.#proposed.set(zxid, txn)
    }
  }

  /** A txn that was there before the world began. */
  knows(zxid: Zxid, txn: string): void {
    this.#proposed.set(zxid, txn)
  }

  stepped(node: Node, turn: Turn): void {
    if (turn.installed !== undefined) this.snapshots += 1
    if (turn.persist.some(({ truncate }) => truncate !== undefined)) this.truncations += 1
    if (turn.serving && node.member.phase.type === 'leading') this.#established(node, turn)
    if (turn.committed !== undefined || turn.installed !== undefined) this.#delivered(node)
  }

  /** Leadership: an epoch has one leader. Its history has everything that was ever applied (LeaderCompleteness). */
  #established(node: Node, turn: Turn): void {
    const { epoch, lastLogged, history, membership } = node.member
    // One that a reconfiguration of its own history removed hands over in the same step.
    invariant(
      membership.isElector(node.sid) || turn.log.some((line) => line.startsWith('no longer leads')),
      'Leadership1: a leader votes',
    )
    invariant(!this.#leaders.has(epoch), `Leadership2: epoch ${epoch} has one leader`)
    this.#leaders.set(epoch, node)
    this.elections += 1
    const last = this.applied.at(-1)
    if (!last) return
    invariant(last.zxid <= lastLogged, 'PrimaryIntegrity: a leader has all that was applied')
    const kept = last.zxid <= history.base || history.contains(last.zxid)
    invariant(kept, 'PrimaryIntegrity: a leader has the last txn that was applied')
  }

  /** What a member applied is what all apply, in one order. */
  #delivered(node: Node): void {
    const { tree } = node
    const compared = this.#compared.get(node)
    const from = compared && isPrefix(compared.tree, tree) ? compared.count : 0
    for (let at = from; at < tree.length; at++) this.#compare(tree[at] as Applied, at)
    this.#compared.set(node, { tree, count: tree.length })
  }

  #compare({ zxid, txn }: Applied, at: number): void {
    const known = this.applied[at]
    if (known) {
      invariant(
        known.zxid === zxid && known.txn === txn,
        `PrefixConsistency and Agreement at ${at}`,
      )
      return
    }
    invariant(this.#proposed.get(zxid) === txn, 'Integrity: what is applied was proposed')
    const last = this.applied.at(-1)
    invariant(!last || last.zxid < zxid, 'TotalOrder: zxids only grow')
    invariant(
      !last || epochOf(last.zxid) < epochOf(zxid) || last.zxid + 1 === zxid,
      'LocalPrimaryOrder: nothing of an epoch is left out',
    )
    this.applied.push({ zxid, txn })
  }
}

/** Trees grow by copying: the same first and the same last element there mean the same prefix. */
const isPrefix = (shorter: readonly Applied[], longer: readonly Applied[]): boolean =>
  shorter.length <= longer.length &&
  shorter[0] === longer[0] &&
  shorter.at(-1) === longer[shorter.length - 1]
