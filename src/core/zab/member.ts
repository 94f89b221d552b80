/**
 * One member of the ensemble as ZAB sees it. It owns the phase: every step from one phase to another is made here, by
 * what the election, the leader or the learner of the phase says.
 */
import { invariant } from '../shared/assert.ts'
import type { Random } from '../shared/random.ts'
import { type Epoch, type Sid, type Zxid } from '../shared/units.ts'
import type { LinkId, PeerInput, Turn } from '../turn.ts'
import { isMember, isVoter, type ZabConfig } from './config.ts'
import { type Elected, Election, noVote } from './election.ts'
import type { History } from './history.ts'
import { Journal, ownLink, type RestoredLog } from './journal.ts'
import { Leader } from './leader.ts'
import { Learner } from './learner.ts'
import type { SnapshotSource } from './learner-link.ts'
import type { LogBatch } from './log-batch.ts'
import type { Notification, Packet, ServerState, Vote } from './messages.ts'
import { PeerFault } from './peer-fault.ts'
import { Majority, type QuorumVerifier } from './quorum.ts'
import type { Verdict } from './verdict.ts'

export type { ZabConfig } from './config.ts'
export type { RestoredLog } from './journal.ts'
export type { OpenSnapshot, SnapshotSource } from './learner-link.ts'

export type Phase =
  | { readonly type: 'looking'; readonly election: Election }
  | { readonly type: 'discovering'; readonly part: Leader | Learner }
  | { readonly type: 'synchronizing'; readonly part: Leader | Learner }
  | { readonly type: 'following'; readonly part: Learner }
  | { readonly type: 'leading'; readonly part: Leader }

/** The phases of the paper, and from which to which. An observer follows too. */
export const transitions = {
  looking: ['discovering'],
  discovering: ['synchronizing', 'looking'],
  synchronizing: ['following', 'leading', 'looking'],
  following: ['looking'],
  leading: ['looking'],
} as const satisfies Record<Phase['type'], readonly Phase['type'][]>

export class ZabMember {
  readonly #config: ZabConfig
  readonly #quorum: QuorumVerifier
  readonly #journal: Journal
  readonly #snapshots: SnapshotSource
  readonly #votes: boolean
  #phase: Phase
  /** The election's logical clock; it begins anew with each incarnation. */
  #round = 0
  /** Whom we settled on: what we answer to those who are still looking. */
  #vote: Vote = noVote
  /** An epoch somebody promised that our last reign was below. */
  #highestEpoch: Epoch

  constructor(
    config: ZabConfig,
    restored: RestoredLog,
    snapshots: SnapshotSource,
    // Nothing is left to chance yet; backing off from equal rivals would be.
    _random: Random,
  ) {
    this.#config = config
    this.#quorum = new Majority(config.voters)
    this.#journal = new Journal(config, restored)
    this.#snapshots = snapshots
    this.#votes = isVoter(config, config.sid)
    this.#highestEpoch = restored.acceptedEpoch
    this.#phase = { type: 'looking', election: this.#newElection() }
  }

  get phase(): Phase {
    return this.#phase
  }

  get role(): ServerState {
    if (this.#phase.type === 'looking') return 'looking'
    if (this.#phase.part.kind === 'leader') return 'leading'
    return this.#votes ? 'following' : 'observing'
  }

  /** The epoch that is being entered or is entered; the last one entered while looking. */
  get epoch(): Epoch {
    const { currentEpoch } = this.#journal
    return this.#phase.type === 'looking' ? currentEpoch : (this.#phase.part.epoch ?? currentEpoch)
  }

  get acceptedEpoch(): Epoch {
    return this.#journal.acceptedEpoch
  }

  get currentEpoch(): Epoch {
    return this.#journal.currentEpoch
  }

  /** Whom we lead ourselves to be led by; undefined while looking. */
  get leader(): Sid | undefined {
    if (this.#phase.type === 'looking') return undefined
    const { part } = this.#phase
    return part.kind === 'leader' ? this.#config.sid : part.leader
  }

  /** The link to our leader, once it serves us. */
  get leaderLink(): LinkId | undefined {
    return this.#phase.type === 'following' ? this.#phase.part.link : undefined
  }

  get lastLogged(): Zxid {
    return this.#journal.history.last
  }

  /** While leading, the next proposal must begin right after this. */
  get lastProposed(): Zxid {
    return this.#phase.type === 'leading' ? this.#phase.part.lastProposed : this.lastLogged
  }

  get committed(): Zxid {
    return this.#journal.committed
  }

  get history(): History {
    return this.#journal.history
  }

  get isServing(): boolean {
    return this.#phase.type === 'following' || this.#phase.type === 'leading'
  }

  get round(): number {
    return this.#phase.type === 'looking' ? this.#phase.election.round : this.#round
  }

  /** When to send `wake` at the latest. */
  get wakeAtMs(): number {
    return this.#phase.type === 'looking'
      ? this.#phase.election.wakeAtMs
      : this.#phase.part.wakeAtMs
  }

  /** A member comes back looking, whatever it was before. */
  start(nowMs: number, turn: Turn): void {
    this.#elect(nowMs, turn)
  }

  receive(nowMs: number, input: PeerInput, turn: Turn): void {
    switch (input.type) {
      case 'wake':
        this.#wake(nowMs, turn)
        break
      case 'note':
        this.#receiveNote(nowMs, input.note, turn)
        break
      case 'linked':
        this.#linked(nowMs, input, turn)
        break
      case 'unlinked':
        this.#unlinked(nowMs, input.link, input.peer, turn)
        break
      case 'packets':
        this.#receivePackets(nowMs, input.link, input.packets, turn)
        break
      case 'persisted':
        this.#settle(nowMs, input.number, turn)
        break
    }
    this.#conclude(nowMs, turn)
  }

  /** Only while leading, with zxids from `lastProposed` + 1 on. */
  propose(nowMs: number, batch: LogBatch, turn: Turn): void {
    invariant(this.#phase.type === 'leading', 'only a leader in broadcast proposes')
    this.#phase.part.propose(nowMs, batch, turn)
    this.#conclude(nowMs, turn)
  }

  /** The replica's own packets; nobody hears them when the link is no more. */
  send(link: LinkId, packet: Packet, turn: Turn): void {
    const known =
      this.#phase.type === 'leading' ? this.#phase.part.isSynced(link) : this.leaderLink === link
    if (known) turn.send.push({ link, packet })
  }

  #wake(nowMs: number, turn: Turn): void {
    if (this.#phase.type === 'looking') {
      this.#settleOn(nowMs, this.#phase.election.wake(nowMs, turn), turn)
    } else {
      this.#follow(nowMs, this.#phase.part.wake(nowMs, turn), turn)
    }
  }

  #receiveNote(nowMs: number, note: Notification, turn: Turn): void {
    if (note.from === this.#config.sid || !isMember(this.#config, note.from)) return
    if (this.#phase.type === 'looking') {
      this.#settleOn(nowMs, this.#phase.election.receive(nowMs, note, turn), turn)
    } else if (note.state === 'looking') {
      if (this.#isForsakenBy(note)) {
        return this.#look(nowMs, `${note.from} looks in round ${note.round}`, turn)
      }
      turn.notes.push({ to: note.from, note: this.#settledNote() })
    }
  }

  /**
   * Before a quorum has joined, a newer election is the better one: a leader that a voter does not join, or whose own
   * choice looks for another, need not wait for its init limit.
   */
  #isForsakenBy(note: Notification): boolean {
    if (this.#phase.type !== 'discovering' || note.round <= this.#round) return false
    const { part } = this.#phase
    return part.kind === 'leader' ? isVoter(this.#config, note.from) : part.leader === note.from
  }

  #linked(
    nowMs: number,
    { link, peer, incoming }: Extract<PeerInput, { type: 'linked' }>,
    turn: Turn,
  ): void {
    const part = this.#phase.type === 'looking' ? undefined : this.#phase.part
    if (incoming && part?.kind === 'leader' && isMember(this.#config, peer)) {
      return part.join(nowMs, link, peer)
    }
    const wanted = !incoming && part?.kind === 'learner' && part.leader === peer
    if (wanted && part.linked(nowMs, link, turn)) return
    turn.disconnect.push(link)
  }

  #unlinked(nowMs: number, link: LinkId, peer: Sid, turn: Turn): void {
    if (link !== ownLink) this.#journal.forgetLink(link)
    if (this.#phase.type === 'looking') return
    const { part } = this.#phase
    if (part.kind === 'leader') part.leave(link)
    else if (part.leader === peer) this.#follow(nowMs, part.unlinked(nowMs, link), turn)
  }

  #receivePackets(nowMs: number, link: LinkId, packets: readonly Packet[], turn: Turn): void {
    try {
      for (const packet of packets) {
        if (this.#phase.type === 'looking') return
        const { part } = this.#phase
        if (part.kind === 'learner' && part.link !== link) return
        const verdict =
          part.kind === 'leader'
            ? part.receive(nowMs, link, packet, turn)
            : part.receive(nowMs, packet, turn)
        this.#follow(nowMs, verdict, turn)
      }
    } catch (error) {
      if (!(error instanceof PeerFault)) throw error
      this.#fault(nowMs, link, error.message, turn)
    }
  }

  /** A peer said what cannot be: it loses its link. */
  #fault(nowMs: number, link: LinkId, fault: string, turn: Turn): void {
    if (this.#phase.type === 'looking') return
    const { part } = this.#phase
    if (part.kind === 'learner')
      return this.#look(nowMs, `${part.leader} is at fault: ${fault}`, turn)
    turn.log.push(`link ${link} is at fault: ${fault}`)
    turn.disconnect.push(link)
    part.leave(link)
    this.#journal.forgetLink(link)
  }

  #settle(nowMs: number, number: number, turn: Turn): void {
    for (const packet of this.#journal.settle(number, turn)) {
      const { phase } = this
      invariant(
        phase.type !== 'looking' && phase.part.kind === 'leader',
        'a leader waits for itself',
      )
      this.#follow(nowMs, phase.part.receiveOwn(nowMs, packet, turn), turn)
    }
  }

  #conclude(nowMs: number, turn: Turn): void {
    if (this.#phase.type === 'leading') this.#follow(nowMs, this.#phase.part.conclude(turn), turn)
  }

  // from phase to phase

  #follow(nowMs: number, verdict: Verdict | undefined, turn: Turn): void {
    if (!verdict || this.#phase.type === 'looking') return
    const { part } = this.#phase
    switch (verdict.type) {
      case 'discovered':
        this.#become({ type: 'synchronizing', part })
        if (part.kind === 'leader') part.synchronize(nowMs, turn)
        return
      case 'established':
        this.#serve(nowMs, part, turn)
        return
      case 'over':
        this.#look(nowMs, verdict.reason, turn)
        return
    }
  }

  #serve(nowMs: number, part: Leader | Learner, turn: Turn): void {
    if (part.kind === 'leader') {
      this.#become({ type: 'leading', part })
      part.reign(nowMs, turn)
    } else {
      this.#become({ type: 'following', part })
    }
    // All members must tell newcomers the same vote, whatever election they came from (ZOOKEEPER-1732).
    this.#vote = { ...this.#vote, epoch: this.epoch }
    turn.serving = true
    turn.log.push(`${this.role} in epoch ${this.epoch}`)
  }

  /** Gives up what it was, and looks for a leader in a new round. */
  #look(nowMs: number, reason: string, turn: Turn): void {
    invariant(this.#phase.type !== 'looking', 'who looks has nothing to give up')
    const { part } = this.#phase
    turn.log.push(`looks for a leader: ${reason}`)
    if (this.isServing) turn.serving = false
    if (part.kind === 'leader') this.#highestEpoch = part.highestEpoch
    const links = part.kind === 'leader' ? part.links() : [part.link ?? ownLink]
    for (const link of links) {
      if (link !== ownLink) turn.disconnect.push(link)
      if (part.kind === 'leader') part.leave(link)
      this.#journal.forgetLink(link)
    }
    this.#journal.forgetLink(ownLink)
    this.#elect(nowMs, turn)
  }

  #elect(nowMs: number, turn: Turn): void {
    this.#round += 1
    const election = this.#newElection()
    this.#become({ type: 'looking', election })
    this.#settleOn(nowMs, election.start(nowMs, turn), turn)
  }

  #newElection(): Election {
    const { sid } = this.#config
    const own = { leader: sid, zxid: this.lastLogged, epoch: this.#journal.currentEpoch }
    return new Election(this.#config, this.#quorum, this.#votes ? own : undefined, this.#round)
  }

  #settleOn(nowMs: number, elected: Elected | undefined, turn: Turn): void {
    if (!elected) return
    this.#vote = elected.vote
    this.#round = elected.round
    const { leader } = elected.vote
    turn.log.push(`elects ${leader} in round ${elected.round}`)
    const config = this.#config
    const highest = Math.max(this.#highestEpoch, this.#journal.acceptedEpoch) as Epoch
    if (leader === config.sid) {
      const part = new Leader(config, this.#quorum, this.#journal, this.#snapshots, highest, nowMs)
      this.#become({ type: 'discovering', part })
      this.#follow(nowMs, part.start(turn), turn)
    } else {
      const part = new Learner(config, this.#journal, leader, nowMs)
      this.#become({ type: 'discovering', part })
      part.start(turn)
    }
    this.#tellObservers(turn)
  }

  /** Observers ask rarely and nobody asks them: whoever has settled lets them know. */
  #tellObservers(turn: Turn): void {
    if (!this.#votes) return
    for (const to of this.#config.observers) turn.notes.push({ to, note: this.#settledNote() })
  }

  #settledNote(): Notification {
    const { sid } = this.#config
    return { from: sid, state: this.role, vote: this.#vote, round: this.#round, asks: false }
  }

  #become(phase: Phase): void {
    const allowed: readonly string[] = transitions[this.#phase.type]
    const first = this.#phase.type === 'looking' && phase.type === 'looking'
    invariant(
      first || allowed.includes(phase.type),
      `no way from ${this.#phase.type} to ${phase.type}`,
    )
    this.#phase = phase
  }
}
