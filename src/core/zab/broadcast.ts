/**
 * Phase 3, the leader's books: what was proposed when, who acknowledged what, and what follows from it.
 */
import type { Sid, Zxid } from '../shared/units.ts'
import { highestAgreed, type QuorumVerifier } from './quorum.ts'

interface Proposed {
  readonly last: Zxid
  readonly atMs: number
}

export class Broadcast {
  readonly #quorum: QuorumVerifier
  readonly #sid: Sid
  /** What we have durable ourselves. */
  #ownAcked: Zxid
  /** Proposals that somebody may still owe an ack for, oldest first. */
  #proposed: Proposed[] = []

  constructor(quorum: QuorumVerifier, sid: Sid, ownAcked: Zxid) {
    this.#quorum = quorum
    this.#sid = sid
    this.#ownAcked = ownAcked
  }

  propose(last: Zxid, nowMs: number): void {
    this.#proposed.push({ last, atMs: nowMs })
  }

  ackOwn(zxid: Zxid): void {
    this.#ownAcked = zxid
  }

  /** What a quorum of ourselves and these followers has. */
  agreed(followers: Iterable<readonly [Sid, Zxid]>): Zxid | undefined {
    return highestAgreed(this.#quorum, new Map([[this.#sid, this.#ownAcked], ...followers]))
  }

  /** Since when a follower that has everything up to `acked` owes an ack; Infinity if it owes none. */
  owedSinceMs(acked: Zxid): number {
    return this.#proposed.find((proposal) => proposal.last > acked)?.atMs ?? Infinity
  }

  /** Forgets proposals that everybody has. */
  trim(acked: Zxid): void {
    const kept = this.#proposed.findIndex((proposal) => proposal.last > acked)
    this.#proposed.splice(0, kept < 0 ? this.#proposed.length : kept)
  }
}
