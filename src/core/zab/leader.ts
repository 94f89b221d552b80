/**
 * An elected leader, from the first learner that joins to the end of its reign. A learner that comes late walks through
 * the same stages as the first ones, whatever phase the leader is in.
 */
import { invariant } from '../shared/assert.ts'
import { type Epoch, type Sid, type Zxid, zxidOf } from '../shared/units.ts'
import type { LinkId, PeerInput, Turn } from '../turn.ts'
import { Broadcast } from './broadcast.ts'
import type { Candidacy } from './candidacy.ts'
import type { Configuration } from './configuration.ts'
import { Discovery } from './discovery.ts'
import type { Ground } from './ground.ts'
import type { LearnerLink } from './learner-link.ts'
import { Learners } from './learners.ts'
import type { LogBatch } from './log-batch.ts'
import { isFromLearner, type OwnPacket, type Packet, type PacketOf } from './messages.ts'
import type { Part } from './part.ts'
import { demand } from './peer-fault.ts'
import { showPoint } from './show.ts'
import { Synchronizer } from './synchronizer.ts'
import { established, over, type Verdict } from './verdict.ts'

/** Who elected us joins within this time beyond the finalize wait, or has given up to try (`learner.ts`). */
const joinLimitMs = 2000

/** The ping that each link was sent. */
export type Round = ReadonlyMap<LinkId, number>

export class Leader implements Part {
  readonly kind = 'leader'
  readonly #ground: Ground
  readonly #candidacy: Candidacy
  readonly #learners: Learners
  readonly #discovery: Discovery
  /** A quorum has promised. */
  #synchronizer: Synchronizer | undefined
  /** Our own NEWLEADER is on disk. */
  #hasEntered = false
  /** A quorum has our history. */
  #broadcast: Broadcast | undefined
  readonly #joinDeadlineMs: number
  #deadlineMs: number
  /** When we go even if a follower does not. */
  #handOverAtMs: number | undefined
  #halfTicks = 0
  #halfTickAtMs: number

  /** `highestEpoch`: the highest one that we heard to be accepted. */
  constructor(ground: Ground, candidacy: Candidacy, highestEpoch: Epoch, nowMs: number) {
    const { config, membership } = ground
    this.#ground = ground
    this.#candidacy = candidacy
    this.#learners = new Learners(config, membership)
    this.#discovery = new Discovery(ground, this.#learners, highestEpoch)
    this.#deadlineMs = nowMs + this.#initLimitMs
    this.#joinDeadlineMs = nowMs + Math.min(this.#initLimitMs, config.finalizeWaitMs + joinLimitMs)
    this.#halfTickAtMs = nowMs + config.tickTimeMs / 2
  }

  get epoch(): Epoch | undefined {
    return this.#discovery.epoch
  }

  get highestEpoch(): Epoch {
    return this.#discovery.highest
  }

  get lastProposed(): Zxid {
    return this.#broadcast?.lastProposed ?? this.#ground.journal.history.last
  }

  get wakeAtMs(): number {
    return Math.min(this.#halfTickAtMs, this.#broadcast?.releaseAtMs ?? Infinity)
  }

  get links(): LinkId[] {
    return this.#learners.links
  }

  /** Whether a replica may speak on this link. */
  isSynced(link: LinkId): boolean {
    return this.#broadcast !== undefined && this.#learners.get(link)?.is('synced') === true
  }

  /** The links a replica may speak on. */
  get syncedLinks(): LinkId[] {
    return this.links.filter((link) => this.isSynced(link))
  }

  /** Begins discovery; who is alone is the quorum. */
  start(turn: Turn): void {
    this.#discovery.choose(turn)
  }

  linked(nowMs: number, { link, peer, incoming }: Extract<PeerInput, { type: 'linked' }>): boolean {
    // Who is no member yet, or no longer, may follow: that is how a member comes to be added.
    if (!incoming || peer === this.#ground.config.sid) return false
    this.#learners.join(nowMs, link, peer)
    return true
  }

  unlinked(_nowMs: number, link: LinkId): undefined {
    this.#learners.leave(link)
  }

  /** Lets go of everybody; whoever is linked must be disconnected. */
  close(): void {
    for (const link of this.links) this.#learners.leave(link)
  }

  needs(sid: Sid): boolean {
    return this.#ground.membership.isElector(sid)
  }

  fault(link: LinkId, fault: string, turn: Turn): undefined {
    const learner = this.#learners.get(link)
    if (learner) this.#learners.cut(learner, `it is at fault: ${fault}`, turn)
  }

  receive(nowMs: number, link: LinkId, packet: Packet, turn: Turn): Verdict | undefined {
    const learner = this.#learners.get(link)
    if (!learner) return undefined
    learner.heardMs = nowMs
    demand(isFromLearner(packet), `a learner does not say ${packet.type}`)
    switch (packet.type) {
      case 'followerInfo':
      case 'observerInfo':
        return this.#discovery.receiveInfo(nowMs, learner, packet, turn)
      case 'ackEpoch':
        return this.#receivePromise(nowMs, learner, packet, turn)
      case 'snapAck':
        this.#receiveSnapAck(nowMs, learner, turn)
        return undefined
      case 'needSnap':
        learner.at('offered')
        this.#synchronizer?.beginSnap(nowMs, learner, turn)
        return undefined
      case 'ackNewLeader':
        return this.#receiveAckNewLeader(nowMs, learner, packet, turn)
      case 'ack':
        demand(this.#broadcast !== undefined, 'an ack before any proposal')
        this.#broadcast.ack(learner, packet.zxid)
        return undefined
      case 'pong':
        learner.pong()
        return undefined
      case 'request':
      case 'revalidate':
      case 'sync':
      case 'digested':
        demand(this.isSynced(link), `${packet.type} before UPTODATE`)
        turn.received.push({ link, peer: learner.peer, packet })
        return undefined
    }
  }

  /** What we wait for from our own disk arrives as the others' answers do. */
  receiveOwn(nowMs: number, packet: OwnPacket, turn: Turn): Verdict | undefined {
    switch (packet.type) {
      case 'ackEpoch':
        return this.#discovery.receiveOwnPromise(nowMs, turn)
      case 'ackNewLeader':
        this.#hasEntered = true
        return this.#establish()
      case 'ack':
        this.#broadcast?.ackOwn(packet.zxid)
        return undefined
    }
  }

  #receivePromise(
    nowMs: number,
    learner: LearnerLink,
    packet: PacketOf<'ackEpoch'>,
    turn: Turn,
  ): Verdict | undefined {
    learner.at('asked')
    learner.enter({ type: 'promised', lastZxid: packet.lastZxid }, nowMs)
    if (!this.#synchronizer) return this.#discovery.receivePromise(learner, packet)
    this.#synchronizeOne(nowMs, learner, turn)
    return undefined
  }

  /** A quorum promised: our history is the epoch's, for us and for everybody. */
  synchronize(nowMs: number, turn: Turn): void {
    const epoch = this.#chosenEpoch
    const { journal, membership } = this.#ground
    const lastZxid = journal.history.last
    this.#synchronizer = new Synchronizer(this.#ground, epoch)
    // The first leader puts the members of its settings in force.
    const configuration = membership.isProvisional
      ? membership.active.withVersion(zxidOf(epoch, 0))
      : membership.active
    const nothing = { install: undefined, truncate: undefined, batches: [] }
    journal.enter(epoch, nothing, configuration, turn)
    journal.whenOwnDurable({ type: 'ackNewLeader', epoch, lastZxid })
    for (const learner of this.#learners) this.#synchronizeOne(nowMs, learner, turn)
  }

  #synchronizeOne(nowMs: number, learner: LearnerLink, turn: Turn): void {
    const { stage, follows } = learner
    // What an observer may be given is known once we lead.
    if (stage.type !== 'promised' || !(follows || this.#broadcast)) return
    this.#synchronizer?.begin(nowMs, learner, stage.lastZxid, turn)
  }

  #receiveSnapAck(nowMs: number, learner: LearnerLink, turn: Turn): void {
    learner.at('streaming')
    // A large tree may take longer than the init limit, as long as it moves.
    this.#deadlineMs = nowMs + this.#initLimitMs
    this.#synchronizer?.stream(nowMs, learner, turn)
  }

  #receiveAckNewLeader(
    nowMs: number,
    learner: LearnerLink,
    { epoch, lastZxid }: PacketOf<'ackNewLeader'>,
    turn: Turn,
  ): Verdict | undefined {
    const { through } = learner.at('offered')
    demand(epoch === this.#chosenEpoch, `NEWLEADER of epoch ${epoch}`)
    demand(lastZxid === through, `it ends at ${showPoint(lastZxid)}, not ${showPoint(through)}`)
    learner.acked = through
    learner.told = through
    learner.enter({ type: 'synced' }, nowMs)
    this.#broadcast?.welcome(learner, turn)
    return this.#establish()
  }

  #establish(): Verdict | undefined {
    if (this.#broadcast || !this.#hasEntered) return undefined
    return this.#learners.hasQuorumOf((learner) => learner.is('synced')) ? established : undefined
  }

  /** A quorum has our history: all of it is committed, and everybody may serve. */
  reign(nowMs: number, turn: Turn): void {
    const broadcast = new Broadcast(this.#ground, this.#chosenEpoch, this.#learners)
    this.#broadcast = broadcast
    this.#ground.journal.commit(this.#ground.journal.history.last, turn)
    for (const learner of this.#learners) {
      if (learner.is('synced')) broadcast.welcome(learner, turn)
      else if (!learner.follows) this.#synchronizeOne(nowMs, learner, turn)
    }
    broadcast.abdicateIfRemoved(turn)
  }

  propose(nowMs: number, batch: LogBatch, turn: Turn): void {
    invariant(this.#broadcast !== undefined, 'only a leader in broadcast proposes')
    this.#broadcast.propose(nowMs, batch, turn)
    // Who joins may still be asleep.
    if (batch.configuration) this.call(batch.configuration, turn)
  }

  /** Asks everybody whether they follow us still. */
  askRound(turn: Turn): Round {
    const asked = [...this.#learners].filter(({ isForwarded }) => isForwarded)
    return new Map(asked.map((learner) => [learner.link, learner.ping(turn)]))
  }

  /** A quorum followed us after the round was asked for: nobody else led before it. Who took over our history since then did. */
  isConfirmed(round: Round): boolean {
    return this.#learners.hasQuorumOf(
      (one) => one.is('synced') && one.hasAnswered(round.get(one.link) ?? 0),
    )
  }

  /** Whether a quorum of this configuration follows us. */
  hasSynced(configuration: Configuration): boolean {
    return this.#learners.hasSynced(configuration)
  }

  /** Tells those of this configuration who are not linked that we lead: a member sleeps until it is spoken to. */
  call({ sids }: Configuration, turn: Turn): void {
    const linked = new Set([...this.#learners].map(({ peer }) => peer))
    for (const sid of sids) {
      if (sid !== this.#ground.config.sid && !linked.has(sid)) {
        this.#candidacy.tell(sid, 'leading', turn)
      }
    }
  }

  /** The end of a step. */
  conclude(nowMs: number, turn: Turn): Verdict | undefined {
    this.#broadcast?.conclude(turn)
    const successor = this.#broadcast?.successor
    if (successor !== undefined) return this.#handOver(nowMs, successor)
    const spent = this.#broadcast?.isSpent === true
    return spent ? over(`the zxids of epoch ${this.#chosenEpoch} are used up`) : undefined
  }

  /** Followers leave by themselves when they hear who leads from now on; we go last, and do not wait long. */
  #handOver(nowMs: number, successor: Sid): Verdict | undefined {
    this.#handOverAtMs ??= nowMs + this.#ground.config.tickTimeMs / 2
    const { active } = this.#ground.membership
    const isAwaited = [...this.#learners].some(
      (one) => one.is('synced') && active.voters.includes(one.peer),
    )
    if (isAwaited && nowMs < this.#handOverAtMs) return undefined
    return over(`hands over to ${successor}`, successor)
  }

  wake(nowMs: number, turn: Turn): Verdict | undefined {
    this.#broadcast?.releaseLate(nowMs, turn)
    if (nowMs < this.#halfTickAtMs) return undefined
    this.#halfTicks += 1
    this.#halfTickAtMs = nowMs + this.#ground.config.tickTimeMs / 2
    if (this.epoch === undefined && nowMs >= this.#joinDeadlineMs) {
      return over('no quorum has joined')
    }
    if (!this.#broadcast && nowMs >= this.#deadlineMs) {
      return over(`no quorum within ${this.#ground.config.initLimitTicks} ticks`)
    }
    this.#learners.cutSilent(nowMs, turn)
    this.#broadcast?.cutSlow(nowMs, turn)
    if (this.#halfTicks % 2 === 0) {
      if (!this.#hasSupport()) return over('no quorum is linked')
      if (this.#broadcast) this.#callMissing(turn)
    }
    for (const learner of this.#learners) {
      if (learner.isForwarded) learner.ping(turn)
    }
    this.#broadcast?.trim()
    return undefined
  }

  /** A member that nobody talks to asks ever more rarely, or sleeps: who is not linked hears of us each tick. */
  #callMissing(turn: Turn): void {
    this.call(this.#ground.membership.newest, turn)
  }

  /** Whether a quorum is with us; before it has promised, it may still be on its way. */
  #hasSupport(): boolean {
    if (!this.#synchronizer) return true
    const leads = this.#broadcast !== undefined
    return this.#learners.hasQuorumOf((one) => (leads ? one.is('synced') : !one.is('joined')))
  }

  get #chosenEpoch(): Epoch {
    const { epoch } = this.#discovery
    invariant(epoch !== undefined, 'the epoch is chosen before it is used')
    return epoch
  }

  get #initLimitMs(): number {
    return this.#ground.config.initLimitTicks * this.#ground.config.tickTimeMs
  }
}
