/**
 * An elected leader, from the first learner that joins to the end of its reign. A learner that comes late walks through
 * the same stages as the first ones, whatever phase the leader is in.
 */
import { BrokenInvariant, invariant } from '../shared/assert.ts'
import { limits } from '../shared/limits.ts'
import { counterOf, type Epoch, type Sid, type Zxid, zxidOf } from '../shared/units.ts'
import type { LinkId, Turn } from '../turn.ts'
import { Broadcast } from './broadcast.ts'
import { isVoter, type ZabConfig } from './config.ts'
import { Discovery } from './discovery.ts'
import { type Journal, ownLink } from './journal.ts'
import { LearnerLink, type SnapshotSource, SnapshotStream } from './learner-link.ts'
import type { LogBatch } from './log-batch.ts'
import type { Packet } from './messages.ts'
import { demand, PeerFault } from './peer-fault.ts'
import type { QuorumVerifier } from './quorum.ts'
import { showPoint } from './show.ts'
import { chooseRemedy } from './synchronization.ts'
import { discovered, established, over, type Verdict } from './verdict.ts'

type PacketOf<T extends Packet['type']> = Extract<Packet, { type: T }>

export class Leader {
  readonly kind = 'leader'
  readonly #config: ZabConfig
  readonly #quorum: QuorumVerifier
  readonly #journal: Journal
  readonly #snapshots: SnapshotSource
  readonly #discovery: Discovery
  readonly #learners = new Map<LinkId, LearnerLink>()
  #deadlineMs: number
  /** Our own promise is on disk: the new epoch may be told. */
  #promised = false
  #progress: 'discovering' | 'synchronizing' | 'leading' = 'discovering'
  #enteredOwn = false
  #broadcast: Broadcast | undefined
  #lastProposed: Zxid
  #halfTicks = 0
  #halfTickAtMs: number

  constructor(
    config: ZabConfig,
    quorum: QuorumVerifier,
    journal: Journal,
    snapshots: SnapshotSource,
    highestEpoch: Epoch,
    nowMs: number,
  ) {
    this.#config = config
    this.#quorum = quorum
    this.#journal = journal
    this.#snapshots = snapshots
    const own = { currentEpoch: journal.currentEpoch, lastZxid: journal.history.last }
    this.#discovery = new Discovery(quorum, config.sid, own, highestEpoch)
    this.#lastProposed = journal.history.last
    this.#deadlineMs = nowMs + this.#initLimitMs
    this.#halfTickAtMs = nowMs + config.tickTimeMs / 2
  }

  get epoch(): Epoch | undefined {
    return this.#discovery.epoch
  }

  /** The highest epoch any member said it accepted: the next leader must go above it. */
  get highestEpoch(): Epoch {
    return this.#discovery.highest
  }

  get lastProposed(): Zxid {
    return this.#lastProposed
  }

  get wakeAtMs(): number {
    return this.#halfTickAtMs
  }

  links(): LinkId[] {
    return [...this.#learners.keys()]
  }

  /** Whether a replica may speak on this link. */
  isSynced(link: LinkId): boolean {
    return this.#progress === 'leading' && this.#learners.get(link)?.is('synced') === true
  }

  // discovery

  /** Begins discovery; alone, we are the quorum. */
  start(turn: Turn): Verdict | undefined {
    return this.#chooseEpoch(turn)
  }

  join(nowMs: number, link: LinkId, peer: Sid): void {
    this.#learners.set(link, new LearnerLink(link, peer, isVoter(this.#config, peer), nowMs))
  }

  /** A link is gone, or is to be cut. */
  leave(link: LinkId): void {
    this.#learners.get(link)?.close()
    this.#learners.delete(link)
  }

  receive(nowMs: number, link: LinkId, packet: Packet, turn: Turn): Verdict | undefined {
    const learner = this.#learners.get(link)
    if (!learner) return undefined
    learner.heardMs = nowMs
    switch (packet.type) {
      case 'followerInfo':
      case 'observerInfo':
        return this.#receiveInfo(nowMs, learner, packet, turn)
      case 'ackEpoch':
        return this.#receivePromise(nowMs, learner, packet, turn)
      case 'snapAck':
        this.#stream(nowMs, learner, turn)
        return undefined
      case 'needSnap':
        learner.at('offered')
        this.#beginSnap(nowMs, learner, turn)
        return undefined
      case 'ackNewLeader':
        return this.#receiveAckNewLeader(nowMs, learner, packet, turn)
      case 'ack':
        this.#receiveAck(learner, packet)
        return undefined
      case 'pong':
        return undefined
      case 'request':
      case 'revalidate':
      case 'sync':
        demand(this.isSynced(link), `${packet.type} before UPTODATE`)
        turn.received.push({ link, peer: learner.peer, packet })
        return undefined
      default:
        throw new PeerFault(`a learner does not say ${packet.type}`)
    }
  }

  /** What we wait for from our own disk arrives as the others' answers do. */
  receiveOwn(nowMs: number, packet: Packet, turn: Turn): Verdict | undefined {
    switch (packet.type) {
      case 'ackEpoch':
        return this.#receiveOwnPromise(nowMs, turn)
      case 'ackNewLeader':
        this.#enteredOwn = true
        return this.#establish()
      case 'ack':
        this.#broadcast?.ackOwn(packet.zxid)
        return undefined
      default:
        throw new BrokenInvariant(`no ${packet.type} to ourselves`)
    }
  }

  #receiveInfo(
    nowMs: number,
    learner: LearnerLink,
    { type, acceptedEpoch }: PacketOf<'followerInfo' | 'observerInfo'>,
    turn: Turn,
  ): Verdict | undefined {
    learner.at('joined')
    demand((type === 'followerInfo') === learner.votes, `${type} from ${learner.peer}`)
    this.#replaceOlder(learner, turn)
    learner.enter({ type: 'informed' }, nowMs)
    this.#discovery.hear(acceptedEpoch)
    const { epoch } = this.#discovery
    if (epoch === undefined) {
      if (learner.votes) this.#discovery.inform(learner.peer)
      return this.#chooseEpoch(turn)
    }
    // It could never join us. ZooKeeper leaves it outside until some other election; we reign anew, above it.
    if (acceptedEpoch > epoch) {
      return over(`${learner.peer} has promised epoch ${acceptedEpoch}, ours is ${epoch}`)
    }
    if (this.#promised) this.#ask(nowMs, learner, epoch, turn)
    return undefined
  }

  /** A learner that joins again has left its older link, whether we heard of that or not. */
  #replaceOlder(learner: LearnerLink, turn: Turn): void {
    for (const other of this.#learners.values()) {
      if (other.peer === learner.peer && other !== learner) this.#cut(other, 'it joined anew', turn)
    }
  }

  #chooseEpoch(turn: Turn): Verdict | undefined {
    const epoch = this.#discovery.choose()
    if (epoch === undefined) {
      const usedUp = this.#discovery.highest >= limits.epochMax
      return usedUp ? over('the epochs are used up') : undefined
    }
    turn.log.push(`a quorum joined: epoch ${epoch}`)
    const { currentEpoch, history } = this.#journal
    this.#journal.accept(epoch, turn)
    const lastZxid = history.last
    this.#journal.whenDurable(ownLink, { type: 'ackEpoch', currentEpoch, lastZxid }, turn)
    return undefined
  }

  #receiveOwnPromise(nowMs: number, turn: Turn): Verdict | undefined {
    this.#promised = true
    for (const learner of this.#learners.values()) {
      if (learner.is('informed')) this.#ask(nowMs, learner, this.#knownEpoch, turn)
    }
    this.#discovery.promise(this.#config.sid)
    return this.#discovery.isPromised ? discovered : undefined
  }

  #ask(nowMs: number, learner: LearnerLink, epoch: Epoch, turn: Turn): void {
    learner.send({ type: 'leaderInfo', epoch }, turn)
    learner.enter({ type: 'asked' }, nowMs)
  }

  #receivePromise(
    nowMs: number,
    learner: LearnerLink,
    { currentEpoch, lastZxid }: PacketOf<'ackEpoch'>,
    turn: Turn,
  ): Verdict | undefined {
    learner.at('asked')
    learner.enter({ type: 'promised', lastZxid }, nowMs)
    if (this.#progress !== 'discovering') {
      this.#synchronize(nowMs, learner, turn)
      return undefined
    }
    if (currentEpoch < 0) return undefined
    const ahead = this.#discovery.whyAhead({ currentEpoch, lastZxid })
    if (ahead) return over(`${learner.peer} knows more: ${ahead}`)
    if (learner.votes) this.#discovery.promise(learner.peer)
    return this.#discovery.isPromised ? discovered : undefined
  }

  // synchronization

  /** A quorum promised: our history is the epoch's, for us and for everybody. */
  synchronize(nowMs: number, turn: Turn): void {
    this.#progress = 'synchronizing'
    const epoch = this.#knownEpoch
    const lastZxid = this.#journal.history.last
    this.#journal.enter(epoch, { install: undefined, truncate: undefined, batches: [] }, turn)
    this.#journal.whenDurable(ownLink, { type: 'ackNewLeader', epoch, lastZxid }, turn)
    for (const learner of this.#learners.values()) this.#synchronize(nowMs, learner, turn)
  }

  #synchronize(nowMs: number, learner: LearnerLink, turn: Turn): void {
    const { stage } = learner
    if (stage.type !== 'promised') return
    // An observer is given nothing that is not committed, and before we lead we do not know what is.
    if (!learner.votes && this.#progress !== 'leading') return
    const { history } = this.#journal
    const remedy = chooseRemedy(history, stage.lastZxid, this.#through(learner))
    const from = `${learner.peer} is at ${showPoint(stage.lastZxid)}`
    if (remedy.type === 'snap') {
      turn.log.push(`${from}: SNAP, we keep ${showPoint(history.base)}..${showPoint(history.last)}`)
      this.#beginSnap(nowMs, learner, turn)
    } else if (remedy.type === 'trunc') {
      turn.log.push(`${from}: TRUNC to ${showPoint(remedy.to)}`)
      learner.send({ type: 'trunc', to: remedy.to }, turn)
      this.#offer(nowMs, learner, remedy.to, turn)
    } else {
      turn.log.push(`${from}: DIFF`)
      learner.send({ type: 'diff', to: this.#through(learner) }, turn)
      this.#offer(nowMs, learner, remedy.after, turn)
    }
  }

  #beginSnap(nowMs: number, learner: LearnerLink, turn: Turn): void {
    const stream = new SnapshotStream(this.#snapshots.open())
    learner.enter({ type: 'streaming', stream }, nowMs)
    learner.send({ type: 'snap', zxid: stream.zxid }, turn)
    learner.send(stream.chunk(), turn)
  }

  #stream(nowMs: number, learner: LearnerLink, turn: Turn): void {
    const { stream } = learner.at('streaming')
    // A large tree may take longer than the init limit, as long as it moves.
    this.#deadlineMs = Math.max(this.#deadlineMs, nowMs + this.#initLimitMs)
    if (!stream.ended) return learner.send(stream.chunk(), turn)
    stream.close()
    this.#offer(nowMs, learner, stream.zxid, turn)
  }

  /** The rest of the history, and NEWLEADER: from here on the learner gets every proposal. */
  #offer(nowMs: number, learner: LearnerLink, after: Zxid, turn: Turn): void {
    const through = this.#through(learner)
    for (const batch of this.#journal.history.batches(after, through)) {
      learner.send({ type: 'proposal', batch }, turn)
    }
    learner.send({ type: 'newLeader', epoch: this.#knownEpoch }, turn)
    learner.enter({ type: 'offered', through }, nowMs)
  }

  /** How far a learner may know the history. */
  #through(learner: LearnerLink): Zxid {
    return learner.votes ? this.#journal.history.last : this.#journal.committed
  }

  #receiveAckNewLeader(
    nowMs: number,
    learner: LearnerLink,
    { epoch, lastZxid }: PacketOf<'ackNewLeader'>,
    turn: Turn,
  ): Verdict | undefined {
    const { through } = learner.at('offered')
    demand(epoch === this.#knownEpoch, `NEWLEADER of epoch ${epoch}`)
    demand(lastZxid === through, `it ends at ${showPoint(lastZxid)}, not ${showPoint(through)}`)
    learner.acked = through
    learner.told = through
    learner.enter({ type: 'synced' }, nowMs)
    if (this.#progress !== 'leading') return this.#establish()
    this.#welcome(learner, turn)
    return undefined
  }

  #establish(): Verdict | undefined {
    if (this.#progress !== 'synchronizing' || !this.#enteredOwn) return undefined
    return this.#hasQuorumOf((learner) => learner.is('synced')) ? established : undefined
  }

  // broadcast

  /** A quorum has our history: all of it is committed. */
  reign(nowMs: number, turn: Turn): void {
    this.#progress = 'leading'
    const { history } = this.#journal
    this.#broadcast = new Broadcast(this.#quorum, this.#config.sid, history.last)
    this.#lastProposed = zxidOf(this.#knownEpoch, this.#config.counterStart ?? 0)
    this.#journal.commit(history.last, turn)
    for (const learner of this.#learners.values()) {
      if (learner.is('synced')) this.#welcome(learner, turn)
      else if (!learner.votes) this.#synchronize(nowMs, learner, turn)
    }
  }

  #welcome(learner: LearnerLink, turn: Turn): void {
    const committed = learner.votes ? this.#journal.committed : learner.told
    learner.told = committed
    learner.send({ type: 'upToDate', committed }, turn)
  }

  propose(nowMs: number, batch: LogBatch, turn: Turn): void {
    const broadcast = this.#broadcast
    invariant(broadcast !== undefined, 'only a leader in broadcast proposes')
    invariant(batch.first === this.#lastProposed + 1, 'a proposal follows the last one')
    this.#lastProposed = batch.last
    for (const learner of this.#learners.values()) {
      if (learner.votes && learner.isForwarded) learner.send({ type: 'proposal', batch }, turn)
    }
    broadcast.propose(batch.last, nowMs)
    this.#journal.append(batch, turn)
    this.#journal.whenDurable(ownLink, { type: 'ack', zxid: batch.last }, turn)
  }

  #receiveAck(learner: LearnerLink, { zxid }: PacketOf<'ack'>): void {
    learner.at('synced')
    demand(learner.votes, 'an observer does not ack')
    demand(zxid >= learner.acked, `ack of ${showPoint(zxid)} after ${showPoint(learner.acked)}`)
    demand(zxid <= this.#lastProposed, `ack of ${showPoint(zxid)}, which was not proposed`)
    learner.acked = zxid
  }

  /** The end of a step: commits what a quorum has and tells it, once a turn to each learner. */
  conclude(turn: Turn): Verdict | undefined {
    const agreed = this.#broadcast?.agreed(this.#acks())
    if (agreed === undefined) return undefined
    if (agreed > this.#journal.committed) this.#journal.commit(agreed, turn)
    for (const learner of this.#learners.values()) this.#tell(learner, turn)
    return this.#whyRollOver()
  }

  *#acks(): Generator<readonly [Sid, Zxid]> {
    for (const learner of this.#learners.values()) {
      if (learner.votes && learner.is('synced')) yield [learner.peer, learner.acked]
    }
  }

  #tell(learner: LearnerLink, turn: Turn): void {
    const { committed, history } = this.#journal
    if (!learner.is('synced') || learner.told >= committed) return
    if (learner.votes) {
      learner.send({ type: 'commit', zxid: committed }, turn)
    } else if (learner.told < history.base) {
      return this.#cut(learner, 'it is behind what we keep', turn)
    } else {
      for (const batch of history.batches(learner.told, committed)) {
        learner.send({ type: 'inform', batch }, turn)
      }
    }
    learner.told = committed
  }

  /** A zxid's counter must not run over into its epoch: a new leader begins at 0 again (ZOOKEEPER-1277). */
  #whyRollOver(): Verdict | undefined {
    const left = limits.counterMax - counterOf(this.#lastProposed)
    const quiet = this.#lastProposed === this.#journal.committed
    const spent = left < limits.zxidsReserved / 2 || (left < limits.zxidsReserved && quiet)
    return spent ? over(`the zxids of epoch ${this.#knownEpoch} are used up`) : undefined
  }

  // time

  wake(nowMs: number, turn: Turn): Verdict | undefined {
    if (nowMs < this.#halfTickAtMs) return undefined
    this.#halfTicks += 1
    this.#halfTickAtMs = nowMs + this.#config.tickTimeMs / 2
    if (this.#progress !== 'leading' && nowMs >= this.#deadlineMs) {
      return over(`no quorum within ${this.#config.initLimitTicks} ticks`)
    }
    for (const learner of this.#learners.values()) this.#judge(nowMs, learner, turn)
    if (this.#halfTicks % 2 === 0 && this.#progress !== 'discovering' && !this.#hasSupport()) {
      return over('no quorum is linked')
    }
    for (const learner of this.#learners.values()) {
      if (learner.isForwarded) learner.send({ type: 'ping' }, turn)
    }
    this.#trim()
    return undefined
  }

  /** Parts with a learner that is silent, or does not keep up. */
  #judge(nowMs: number, learner: LearnerLink, turn: Turn): void {
    if (learner.isOverdue(nowMs, this.#initLimitMs, this.#syncLimitMs)) {
      return this.#cut(learner, 'it is silent', turn)
    }
    if (!this.#broadcast || !learner.votes || !learner.is('synced')) return
    if (nowMs - this.#broadcast.owedSinceMs(learner.acked) > this.#syncLimitMs) {
      this.#cut(learner, `it has not acked what follows ${showPoint(learner.acked)}`, turn)
    }
  }

  #hasSupport(): boolean {
    const leading = this.#progress === 'leading'
    return this.#hasQuorumOf(({ stage }) =>
      leading ? stage.type === 'synced' : stage.type !== 'joined',
    )
  }

  #hasQuorumOf(counts: (learner: LearnerLink) => boolean): boolean {
    const linked = [...this.#learners.values()].filter(counts).map(({ peer }) => peer)
    return this.#quorum.isQuorum([this.#config.sid, ...linked])
  }

  #trim(): void {
    let acked = this.#lastProposed
    for (const { votes, stage, acked: has } of this.#learners.values()) {
      if (!votes) continue
      if (stage.type === 'synced' && has < acked) acked = has
      if (stage.type === 'offered' && stage.through < acked) acked = stage.through
    }
    this.#broadcast?.trim(acked)
  }

  #cut(learner: LearnerLink, reason: string, turn: Turn): void {
    turn.log.push(`drops ${learner.peer}: ${reason}`)
    turn.disconnect.push(learner.link)
    this.leave(learner.link)
  }

  get #knownEpoch(): Epoch {
    const { epoch } = this.#discovery
    invariant(epoch !== undefined, 'the epoch is chosen before it is used')
    return epoch
  }

  get #initLimitMs(): number {
    return this.#config.initLimitTicks * this.#config.tickTimeMs
  }

  get #syncLimitMs(): number {
    return this.#config.syncLimitTicks * this.#config.tickTimeMs
  }
}
