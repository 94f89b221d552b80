/** ZAB's laws over members whose tree is the list of what they applied. */
import type { Turn } from '../../src/core/turn.ts'
import type { LogBatch } from '../../src/core/zab/log-batch.ts'
import { appliedOf } from './disk.ts'
import { type Applied, ZabLaws } from './zab-laws.ts'
import type { ZabNode } from './zab-node.ts'

export class Checkers extends ZabLaws {
  /** How much of a node's tree was compared. */
  readonly #compared = new WeakMap<ZabNode, { tree: readonly Applied[]; count: number }>()

  proposedBatch(batch: LogBatch): void {
    for (const applied of appliedOf(batch)) this.proposed(applied)
  }

  stepped(node: ZabNode, turn: Turn): void {
    if (turn.installed !== undefined) this.snapshots += 1
    if (turn.persist.some(({ truncate }) => truncate !== undefined)) this.truncations += 1
    if (turn.serving && node.member.phase.type === 'leading') {
      this.established(node.sid, node.member, turn)
    }
    if (turn.committed !== undefined || turn.installed !== undefined) this.#compare(node)
  }

  #compare(node: ZabNode): void {
    const { tree } = node
    const compared = this.#compared.get(node)
    const from = compared && isPrefix(compared.tree, tree) ? compared.count : 0
    for (let at = from; at < tree.length; at++) this.delivered(at, tree[at] as Applied)
    this.#compared.set(node, { tree, count: tree.length })
  }
}

/** Trees grow by copying: the same first and the same last element there mean the same prefix. */
const isPrefix = (shorter: readonly Applied[], longer: readonly Applied[]): boolean =>
  shorter.length <= longer.length &&
  shorter[0] === longer[0] &&
  shorter.at(-1) === longer[shorter.length - 1]
