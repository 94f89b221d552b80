/**
 * Members that applied the same txns have equal trees; this looks whether it is so. Every member notes its digest at the
 * same zxids. The leader says its newest each tick, everybody answers with his own, and where they differ the quorum that
 * agrees is believed: whoever has another tree, the leader too, is damaged and has everything anew.
 */
import { limits } from './shared/limits.ts'
import type { Sid, Zxid } from './shared/units.ts'
import type { LinkId } from './turn.ts'
import type { QuorumVerifier } from './zab/quorum.ts'

/** A tree at a zxid. */
export interface Noted {
  readonly zxid: Zxid
  readonly digest: string
}

/** Two members that differ at one zxid. */
export interface Mismatch extends Noted {
  readonly peer: Sid
  readonly peersDigest: string
}

/** What the leader compares: its own digest, and what the others answered. */
interface Round extends Noted {
  readonly asked: Set<LinkId>
  readonly answers: Map<Sid, { readonly link: LinkId; readonly digest: string }>
}

export type Judgement =
  /** Nobody differs, or nobody can say yet who is right. */
  | { readonly type: 'open' }
  /** A quorum agrees with the leader: these links' members are wrong. */
  | { readonly type: 'theyDiffer'; readonly links: readonly LinkId[] }
  /** A quorum agrees on another tree than the leader's. */
  | { readonly type: 'weDiffer'; readonly digest: string }

export class DigestWatch {
  readonly #own: Sid
  readonly #quorum: Pick<QuorumVerifier, 'isQuorum'>
  #notes: Noted[] = []
  /** What the leader said of a zxid that is not applied here yet. */
  #wanted: Noted | undefined
  #round: Round | undefined
  #mismatches = 0

  constructor(own: Sid, quorum: Pick<QuorumVerifier, 'isQuorum'>) {
    this.#own = own
    this.#quorum = quorum
  }

  /** How often another member was seen to differ. */
  get mismatches(): number {
    return this.#mismatches
  }

  /** Should the tree's digest be noted at this zxid? The same everywhere, and not at every txn: it costs a CRC a changed node. */
  isDue(zxid: Zxid): boolean {
    return zxid % limits.digestEveryTxns === 0 || zxid === this.#wanted?.zxid
  }

  note(zxid: Zxid, digest: string): void {
    if (this.#notes.at(-1)?.zxid === zxid) return
    this.#notes.push({ zxid, digest })
    if (this.#notes.length > limits.digestsKept) this.#notes.shift()
  }

  /** Another tree took the place of ours. */
  forgetOwn(): void {
    this.#notes = []
  }

  /** Who served is not who serves. */
  forgetOthers(): void {
    this.#wanted = undefined
    this.#round = undefined
  }

  // a learner's side

  /** The leader's digest of a zxid; ours is compared by `compared`, now or once it is applied. */
  hear(said: Noted): void {
    this.#wanted = said
  }

  /** Our digest where the leader's is known too, once. */
  compared(
    leader: Sid,
  ): { readonly own: Noted; readonly mismatch: Mismatch | undefined } | undefined {
    const wanted = this.#wanted
    const own = wanted && this.#notes.find(({ zxid }) => zxid === wanted.zxid)
    if (wanted === undefined || own === undefined) return undefined
    this.#wanted = undefined
    return { own, mismatch: this.#mismatch(own, leader, wanted.digest) }
  }

  // the leader's side

  /** What to say to which of these links; undefined if everybody was asked about our newest. */
  ask(links: readonly LinkId[]): { readonly noted: Noted; readonly links: LinkId[] } | undefined {
    const newest = this.#notes.at(-1)
    if (newest === undefined) return undefined
    if (this.#round?.zxid !== newest.zxid) {
      this.#round = { ...newest, asked: new Set(), answers: new Map() }
    }
    const { asked } = this.#round
    const unasked = links.filter((link) => !asked.has(link))
    for (const link of unasked) asked.add(link)
    return unasked.length === 0 ? undefined : { noted: newest, links: unasked }
  }

  /** A learner's digest; the mismatch if it is not ours. An answer to an older question is no longer compared. */
  answer(peer: Sid, link: LinkId, said: Noted): Mismatch | undefined {
    const round = this.#round
    if (round === undefined || round.zxid !== said.zxid) return undefined
    round.answers.set(peer, { link, digest: said.digest })
    return this.#mismatch(round, peer, said.digest)
  }

  judge(): Judgement {
    const round = this.#round
    if (round === undefined) return { type: 'open' }
    const holders = new Map([[round.digest, [this.#own]]])
    for (const [sid, { digest }] of round.answers) {
      const same = holders.get(digest)
      if (same === undefined) holders.set(digest, [sid])
      else same.push(sid)
    }
    if (holders.size === 1) return { type: 'open' }
    const [right] = [...holders].find(([, sids]) => this.#quorum.isQuorum(sids)) ?? []
    if (right === undefined) return { type: 'open' }
    if (right !== round.digest) return { type: 'weDiffer', digest: right }
    const wrong = [...round.answers.values()].filter(({ digest }) => digest !== right)
    return { type: 'theyDiffer', links: wrong.map(({ link }) => link) }
  }

  #mismatch({ zxid, digest }: Noted, peer: Sid, peersDigest: string): Mismatch | undefined {
    if (digest === peersDigest) return undefined
    this.#mismatches += 1
    return { zxid, digest, peer, peersDigest }
  }
}
