/**
 * Phase 1: a quorum promises a new epoch, above every epoch any of them promised before, and shows that none of them
 * knows more than the leader.
 */
import { limits } from '../shared/limits.ts'
import { asEpoch, type Epoch, type Sid, type Zxid } from '../shared/units.ts'
import type { QuorumVerifier } from './quorum.ts'
import { showPoint } from './show.ts'

/** How much a member knows (StateSummary). */
export interface Recency {
  readonly currentEpoch: Epoch
  readonly lastZxid: Zxid
}

/** The leader's side. */
export class Discovery {
  readonly #quorum: QuorumVerifier
  readonly #own: Recency
  readonly #informed: Set<Sid>
  readonly #promised = new Set<Sid>()
  #highest: Epoch
  #epoch: Epoch | undefined

  /** `highest` is the highest epoch we accepted or heard to be accepted. */
  constructor(quorum: QuorumVerifier, sid: Sid, own: Recency, highest: Epoch) {
    this.#quorum = quorum
    this.#own = own
    this.#informed = new Set([sid])
    this.#highest = highest
  }

  get epoch(): Epoch | undefined {
    return this.#epoch
  }

  /** The highest epoch heard to be accepted by anybody. */
  get highest(): Epoch {
    return this.#highest
  }

  hear(acceptedEpoch: Epoch): void {
    if (acceptedEpoch > this.#highest) this.#highest = acceptedEpoch
  }

  /** Counts a member that joined. */
  inform(sid: Sid): void {
    this.#informed.add(sid)
  }

  /** The new epoch as soon as a quorum has joined; undefined before, and ever after. */
  choose(): Epoch | undefined {
    if (this.#epoch !== undefined || !this.#quorum.isQuorum(this.#informed)) return undefined
    if (this.#highest >= limits.epochMax) return undefined
    this.#epoch = asEpoch(this.#highest + 1)
    return this.#epoch
  }

  /** Why this member may not be led by us: it knows more than we do. */
  whyAhead({ currentEpoch, lastZxid }: Recency): string | undefined {
    const own = this.#own
    if (currentEpoch > own.currentEpoch) {
      return `its epoch ${currentEpoch} is above our ${own.currentEpoch}`
    }
    if (currentEpoch === own.currentEpoch && lastZxid > own.lastZxid) {
      return `its ${showPoint(lastZxid)} is above our ${showPoint(own.lastZxid)}`
    }
    return undefined
  }

  promise(sid: Sid): void {
    this.#promised.add(sid)
  }

  get isPromised(): boolean {
    return this.#quorum.isQuorum(this.#promised)
  }
}

/** The learner's side: promise, say again without counting, or refuse. */
export function judgeEpoch(epoch: Epoch, acceptedEpoch: Epoch): 'promise' | 'repeat' | 'refuse' {
  if (epoch > acceptedEpoch) return 'promise'
  return epoch === acceptedEpoch ? 'repeat' : 'refuse'
}
