/**
 * ZAB's promises, checked from outside and by the names its authors gave them (Junqueira, Reed, Serafini 2011; the
 * TLA+ specification of ZooKeeper).
 */
import { invariant } from '../../src/core/shared/assert.ts'
import { type Epoch, epochOf, type Sid, type Zxid } from '../../src/core/shared/units.ts'
import type { Turn } from '../../src/core/turn.ts'
import type { ZabMember } from '../../src/core/zab/member.ts'

/** One applied txn. */
export interface Applied {
  readonly zxid: Zxid
  readonly txn: string
}

export class ZabLaws {
  readonly #proposed = new Map<Zxid, string>()
  readonly #leaders = new Map<Epoch, ZabMember>()
  readonly #promised = new Map<Sid, Epoch>()
  readonly #places = new Map<Zxid, number>()
  /** Everything any member ever applied, in order. */
  readonly applied: Applied[] = []
  elections = 0
  snapshots = 0
  truncations = 0
  /** The newest epoch that a leader began. */
  newestEpoch = 0

  /** A leader proposed a txn. */
  proposed({ zxid, txn }: Applied): void {
    invariant(!this.#proposed.has(zxid), 'Integrity: a zxid is proposed once')
    this.#proposed.set(zxid, txn)
  }

  /** A txn that was there before the world began. */
  knows(zxid: Zxid, txn: string): void {
    this.#proposed.set(zxid, txn)
  }

  /** Where a zxid stands in `applied`; −1 for one that nobody applied. */
  placeOf(zxid: Zxid): number {
    return this.#places.get(zxid) ?? -1
  }

  /** A member promises to follow whoever founds this epoch; a promise that counts is given once. */
  promises(sid: Sid, epoch: Epoch, counts: boolean): void {
    const before = this.#promised.get(sid) ?? 0
    invariant(epoch >= before, `Promise: ${sid} promised ${before} and nothing below`)
    invariant(!counts || epoch > before, `Promise: ${sid} promises ${epoch} once`)
    this.#promised.set(sid, epoch)
  }

  /** Leadership: an epoch has one leader. Its history has everything that was ever applied (LeaderCompleteness). */
  established(sid: Sid, member: ZabMember, turn: Turn): void {
    const { epoch, lastLogged, history, membership } = member
    // One that a reconfiguration of its own history removed hands over in the same step.
    const handsOver = turn.log.some((line) => line.startsWith('no longer leads'))
    invariant(membership.isElector(sid) || handsOver, 'Leadership1: a leader votes')
    invariant(!this.#leaders.has(epoch), `Leadership2: epoch ${epoch} has one leader`)
    this.#leaders.set(epoch, member)
    this.newestEpoch = Math.max(this.newestEpoch, epoch)
    this.elections += 1
    const last = this.applied.at(-1)
    if (!last) return
    invariant(last.zxid <= lastLogged, 'PrimaryIntegrity: a leader has all that was applied')
    const kept = last.zxid <= history.base || history.contains(last.zxid)
    invariant(kept, 'PrimaryIntegrity: a leader has the last txn that was applied')
  }

  /** What a member applies as its txn number `at` is what all apply there. Answers whether it is the first to do so. */
  delivered(at: number, { zxid, txn }: Applied): boolean {
    const known = this.applied[at]
    if (known) {
      invariant(
        known.zxid === zxid && known.txn === txn,
        `PrefixConsistency and Agreement at ${at}`,
      )
      return false
    }
    invariant(at === this.applied.length, 'PrefixConsistency: nothing is left out')
    invariant(this.#proposed.get(zxid) === txn, 'Integrity: what is applied was proposed')
    const last = this.applied.at(-1)
    invariant(!last || last.zxid < zxid, 'TotalOrder: zxids only grow')
    invariant(
      !last || epochOf(last.zxid) < epochOf(zxid) || last.zxid + 1 === zxid,
      'LocalPrimaryOrder: nothing of an epoch is left out',
    )
    this.#places.set(zxid, this.applied.length)
    this.applied.push({ zxid, txn })
    return true
  }
}
