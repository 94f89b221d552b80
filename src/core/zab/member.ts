/**
 * One member of the ensemble as ZAB sees it. It owns the phase: every step from one phase to another is made here, by
 * what the election, the leader or the learner of the phase says.
 */
import { invariant } from '../shared/assert.ts'
import type { Random } from '../shared/random.ts'
import { type Epoch, type Sid, type Zxid } from '../shared/units.ts'
import type { LinkId, PeerInput, Turn } from '../turn.ts'
import { Candidacy } from './candidacy.ts'
import type { ZabConfig } from './config.ts'
import type { Configuration } from './configuration.ts'
import type { Elected } from './election.ts'
import type { Ground } from './ground.ts'
import type { History } from './history.ts'
import { Journal, ownLink, type RestoredLog } from './journal.ts'
import { Leader, type Round } from './leader.ts'
import { Learner } from './learner.ts'
import type { SnapshotSource } from './learner-link.ts'
import type { LogBatch } from './log-batch.ts'
import type { Membership } from './membership.ts'
import type { Notification, Packet, ServerState } from './messages.ts'
import { PeerFault } from './peer-fault.ts'
import { type Phase, transitions } from './phase.ts'
import { showMembers } from './show.ts'
import type { Verdict } from './verdict.ts'

export type { ZabConfig } from './config.ts'
export type { RestoredLog } from './journal.ts'
export type { OpenSnapshot, SnapshotSource } from './learner-link.ts'

export class ZabMember {
  readonly #ground: Ground
  readonly #candidacy: Candidacy
  #phase: Phase
  /** The highest epoch anybody was heard to promise. */
  #highestEpoch: Epoch

  constructor(
    config: ZabConfig,
    restored: RestoredLog,
    snapshots: SnapshotSource,
    // Nothing is left to chance yet.
    _random: Random,
  ) {
    const journal = new Journal(config, restored)
    this.#ground = { config, membership: journal.membership, journal, snapshots }
    this.#candidacy = new Candidacy(this.#ground)
    this.#highestEpoch = restored.acceptedEpoch
    this.#phase = { type: 'looking', election: this.#candidacy.next() }
  }

  get phase(): Phase {
    return this.#phase
  }

  get role(): ServerState {
    if (!this.#part) return 'looking'
    if (this.#part.kind === 'leader') return 'leading'
    return this.#part.follows ? 'following' : 'observing'
  }

  /** Who counts, as far as this member knows. */
  get membership(): Membership {
    return this.#ground.membership
  }

  /** The epoch that is being entered or is entered; the last one entered while looking. */
  get epoch(): Epoch {
    return this.#part?.epoch ?? this.#ground.journal.currentEpoch
  }

  get acceptedEpoch(): Epoch {
    return this.#ground.journal.acceptedEpoch
  }

  get currentEpoch(): Epoch {
    return this.#ground.journal.currentEpoch
  }

  /** Whom we elected; undefined while looking. */
  get leader(): Sid | undefined {
    return this.#part?.kind === 'leader' ? this.#ground.config.sid : this.#part?.leader
  }

  /** The link to our leader, once it serves us. */
  get leaderLink(): LinkId | undefined {
    return this.#phase.type === 'following' ? this.#phase.part.link : undefined
  }

  /** Whether this member lost what it acknowledged, and does not vote. */
  get mustRecover(): boolean {
    return this.#ground.journal.mustRecover
  }

  /** The links of those who follow us. */
  get learnerLinks(): readonly LinkId[] {
    return this.#phase.type === 'leading' ? this.#phase.part.syncedLinks : []
  }

  get lastLogged(): Zxid {
    return this.#ground.journal.history.last
  }

  /** While leading, the next proposal must begin right after this. */
  get lastProposed(): Zxid {
    return this.#phase.type === 'leading' ? this.#phase.part.lastProposed : this.lastLogged
  }

  get committed(): Zxid {
    return this.#ground.journal.committed
  }

  get history(): History {
    return this.#ground.journal.history
  }

  get isServing(): boolean {
    return this.#phase.type === 'following' || this.#phase.type === 'leading'
  }

  get round(): number {
    return this.#phase.type === 'looking' ? this.#phase.election.round : this.#candidacy.round
  }

  /** When to send `wake` at the latest. */
  get wakeAtMs(): number {
    return (
      this.#part?.wakeAtMs ??
      (this.#phase.type === 'looking' ? this.#phase.election.wakeAtMs : Infinity)
    )
  }

  /** A member comes back looking, whatever it was before. */
  start(nowMs: number, turn: Turn): void {
    invariant(this.#phase.type === 'looking', 'a member starts once')
    this.#settleOn(nowMs, this.#phase.election.start(nowMs, turn), turn)
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
  }

  /** Only while leading: whether a quorum of this configuration follows us. */
  hasSynced(configuration: Configuration): boolean {
    return this.#phase.type === 'leading' && this.#phase.part.hasSynced(configuration)
  }

  /** Only while leading. */
  askRound(turn: Turn): Round {
    invariant(this.#phase.type === 'leading', 'only a leader asks who follows it')
    return this.#phase.part.askRound(turn)
  }

  /** Whether we lead, and a quorum has followed us since the round was asked for. */
  isConfirmed(round: Round): boolean {
    return this.#phase.type === 'leading' && this.#phase.part.isConfirmed(round)
  }

  /** Only while leading: wakes the members of this configuration that are not with us. */
  call(configuration: Configuration, turn: Turn): void {
    if (this.#phase.type === 'leading') this.#phase.part.call(configuration, turn)
  }

  /** The replica's own packets; nobody hears them when the link is no more. */
  send(link: LinkId, packet: Packet, turn: Turn): void {
    const known =
      this.#phase.type === 'leading' ? this.#phase.part.isSynced(link) : this.leaderLink === link
    if (known) turn.send.push({ link, packet })
  }

  #wake(nowMs: number, turn: Turn): void {
    if (this.#phase.type !== 'looking') {
      return this.#follow(nowMs, this.#phase.part.wake(nowMs, turn), turn)
    }
    this.#settleOn(nowMs, this.#phase.election.wake(nowMs, turn), turn)
  }

  #receiveNote(nowMs: number, note: Notification, turn: Turn): void {
    if (note.from === this.#ground.config.sid) return
    if (note.configuration) this.#learn(nowMs, note.configuration, note.from, turn)
    this.#hearPending(nowMs, note, turn)
    if (note.state === 'looking' && this.#isForsakenBy(note)) {
      this.#look(nowMs, `${note.from} looks in round ${note.round}`, turn)
    }
    if (this.#phase.type === 'looking') {
      this.#settleOn(nowMs, this.#phase.election.receive(nowMs, note, turn), turn)
    } else if (note.state === 'looking') {
      this.#candidacy.tell(note.from, this.role, turn)
    }
  }

  /**
   * Who looks for a leader may go by a configuration that is no longer in force; one that was committed later tells who
   * there is to be asked (ZooKeeper restarts its election too).
   */
  #learn(nowMs: number, configuration: Configuration, from: Sid, turn: Turn): void {
    const { type } = this.#phase
    if (type !== 'looking' && type !== 'discovering') return
    const before = this.#ground.membership.active
    if (!this.#ground.journal.learn(configuration, turn)) return
    if (configuration.hasSameMembersAs(before)) return
    const news = `hears of ${from} that the members are others: ${showMembers(configuration)}`
    if (type === 'discovering') return this.#look(nowMs, news, turn)
    turn.log.push(news)
    this.#electAnew(nowMs, turn)
  }

  /**
   * A reconfiguration that is not committed may need the votes of members that never logged it. They take part as soon as
   * somebody who did says so; what the next leader's log has decides whether there is one.
   */
  #hearPending(nowMs: number, { from, pending }: Notification, turn: Turn): void {
    const { config, membership } = this.#ground
    if (!pending || this.#phase.type !== 'looking' || membership.isElector(config.sid)) return
    if (!pending.electors.includes(config.sid) || !membership.hear(pending)) return
    turn.log.push(`hears of ${from} that it may get a vote: ${showMembers(pending)}`)
    this.#electAnew(nowMs, turn)
  }

  #electAnew(nowMs: number, turn: Turn): void {
    const election = this.#candidacy.next(this.round)
    this.#phase = { type: 'looking', election }
    this.#settleOn(nowMs, election.start(nowMs, turn), turn)
  }

  /**
   * Before a quorum has joined, a newer election is the better one: a leader that a voter does not join, or whose own
   * choice looks for another, need not wait for its init limit.
   */
  #isForsakenBy(note: Notification): boolean {
    const { membership } = this.#ground
    const newer = note.round > this.#candidacy.round && membership.isElector(note.vote.leader)
    return this.#phase.type === 'discovering' && newer && this.#phase.part.needs(note.from)
  }

  #linked(nowMs: number, input: Extract<PeerInput, { type: 'linked' }>, turn: Turn): void {
    const wanted = this.#part?.linked(nowMs, input, turn) === true
    if (!wanted) turn.disconnect.push(input.link)
  }

  #unlinked(nowMs: number, link: LinkId, peer: Sid, turn: Turn): void {
    if (link !== ownLink) this.#ground.journal.forgetLink(link)
    this.#follow(nowMs, this.#part?.unlinked(nowMs, link, peer), turn)
  }

  #receivePackets(nowMs: number, link: LinkId, packets: readonly Packet[], turn: Turn): void {
    try {
      for (const packet of packets) {
        this.#follow(nowMs, this.#part?.receive(nowMs, link, packet, turn), turn)
      }
    } catch (error) {
      if (!(error instanceof PeerFault)) throw error
      this.#ground.journal.forgetLink(link)
      this.#follow(nowMs, this.#part?.fault(link, error.message, turn), turn)
    }
  }

  get #part(): Leader | Learner | undefined {
    return this.#phase.type === 'looking' ? undefined : this.#phase.part
  }

  #settle(nowMs: number, number: number, turn: Turn): void {
    const { own, acked } = this.#ground.journal.settle(number, turn)
    if (acked !== undefined && this.#part?.kind === 'learner') this.#part.acked(acked, turn)
    for (const packet of own) {
      const part = this.#part
      invariant(part?.kind === 'leader', 'a leader waits for itself')
      this.#follow(nowMs, part.receiveOwn(nowMs, packet, turn), turn)
    }
  }

  #conclude(nowMs: number, turn: Turn): void {
    if (this.#phase.type !== 'leading') return
    this.#follow(nowMs, this.#phase.part.conclude(nowMs, turn), turn)
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
        this.#look(nowMs, verdict.reason, turn, verdict.successor)
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
    this.#candidacy.serve()
    turn.serving = true
    turn.log.push(`${this.role} in epoch ${this.epoch}`)
  }

  /** Gives up what it was, and looks for a leader in a new round, or follows the one that was named. */
  #look(nowMs: number, reason: string, turn: Turn, successor?: Sid): void {
    invariant(this.#phase.type !== 'looking', 'who looks has nothing to give up')
    const { part } = this.#phase
    turn.log.push(`looks for a leader: ${reason}`)
    if (this.isServing) turn.serving = false
    for (const link of part.links) {
      turn.disconnect.push(link)
      this.#ground.journal.forgetLink(link)
    }
    this.#ground.journal.forgetLink(ownLink)
    if (part.kind === 'leader') {
      this.#highestEpoch = part.highestEpoch
      part.close()
    }
    if (successor === undefined) this.#elect(nowMs, turn)
    else this.#succeed(nowMs, successor, turn)
  }

  /** A reconfiguration names who leads: no election is held (ZooKeeper's designated leader). */
  #succeed(nowMs: number, leader: Sid, turn: Turn): void {
    const election = this.#candidacy.next()
    this.#become({ type: 'looking', election })
    const { currentEpoch, history } = this.#ground.journal
    const vote = { leader, zxid: history.last, epoch: currentEpoch }
    this.#settleOn(nowMs, { vote, round: election.round }, turn)
  }

  #elect(nowMs: number, turn: Turn): void {
    const election = this.#candidacy.next()
    this.#become({ type: 'looking', election })
    this.#settleOn(nowMs, election.start(nowMs, turn), turn)
  }

  #settleOn(nowMs: number, elected: Elected | undefined, turn: Turn): void {
    if (!elected) return
    const { leader } = elected.vote
    turn.log.push(`elects ${leader} in round ${elected.round}`)
    const part =
      leader === this.#ground.config.sid
        ? new Leader(this.#ground, this.#candidacy, this.#highestEpoch, nowMs)
        : new Learner(this.#ground, leader, nowMs)
    this.#become({ type: 'discovering', part })
    this.#candidacy.settle(elected, this.role, turn)
    part.start(turn)
  }

  #become(phase: Phase): void {
    const [from, to] = [this.#phase.type, phase.type]
    const allowed: readonly string[] = transitions[from]
    invariant(allowed.includes(to), `no way from ${from} to ${to}`)
    this.#phase = phase
  }
}
