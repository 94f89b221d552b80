/**
 * What a leader does beside its consensus, from when it serves until it does not: requests become txns in batches, questions
 * are answered once what came before them is applied, nodes whose time is over go.
 */
import type { Forwarded } from './request/forward.ts'
import type { QuotaWarning, Rules } from './request/prepare.ts'
import type { Ensemble } from './request/prepare-reconfig.ts'
import { Gathering } from './gathering.ts'
import { Proposer } from './request/proposer.ts'
import { limits } from './shared/limits.ts'
import { asSessionId, counterOf, type Sid, type Zxid } from './shared/units.ts'
import type { Tree } from './tree/tree.ts'
import type { LinkId, Turn } from './turn.ts'
import type { Configuration } from './zab/configuration.ts'
import type { Round } from './zab/leader.ts'
import type { LogBatch } from './zab/log-batch.ts'
import type { ZabMember } from './zab/member.ts'

export interface ReapRules {
  /** How often empty containers and old nodes are looked for, and how many go in a minute. */
  readonly containerCheckIntervalMs: number
  readonly containerMaxPerMinute: number
}

/** Who asked here and not at another member. */
export interface Askers {
  synced(number: number): void
  revalidated(number: number, alive: boolean): void
}

export interface Realm {
  readonly zab: ZabMember
  readonly tree: Tree
  readonly rules: Rules
  readonly reaps: ReapRules
  readonly askers: Askers
  readonly now: () => number
  warn(warning: QuotaWarning): void
}

/** Does a session live, and does it write by this attachment? */
export interface Revalidation {
  readonly number: number
  readonly session: bigint
  readonly attachment: number
}

/** An answer that waits until everything proposed before it is applied. */
interface PendingSync {
  /** Undefined: asked here. */
  readonly link: LinkId | undefined
  readonly number: number
  /** It was asked whether a session lives; the answer will be that it does not. */
  readonly ofSession: boolean
  readonly after: Zxid
  /** Waits for this round too. */
  readonly round?: Round
}

export class Reign {
  readonly #realm: Realm
  readonly #proposer: Proposer
  /** The zxid before the epoch's first txn. Nobody ever applies it. */
  readonly #epochStart: Zxid
  #lastTxnTimeMs: number
  #syncs: PendingSync[] = []
  /** Of this turn, to wait for a round that is not yet asked for. */
  #unsure: PendingSync[] = []
  /** Numbers of the persists that hold our own proposals and are not durable yet. */
  #unpersisted: number[] = []
  /** When batches were proposed last. */
  #proposedAtMs = -Infinity
  readonly #gathering: Gathering
  /** Batches ready to be proposed. */
  #cutBatches: LogBatch[] = []
  /** Configurations whose members are to be woken. */
  readonly #called: Configuration[] = []
  #reapAtMs: number

  constructor(realm: Realm, lastTxnTimeMs: number) {
    this.#realm = realm
    this.#epochStart = realm.zab.lastProposed
    this.#gathering = new Gathering(this.#epochStart)
    this.#lastTxnTimeMs = lastTxnTimeMs
    this.#reapAtMs = realm.now() + realm.reaps.containerCheckIntervalMs
    this.#proposer = new Proposer(
      realm.tree,
      this.#epochStart,
      realm.rules,
      this.#ensemble(),
      (warning) => realm.warn(warning),
    )
  }

  /** The zxid given out last. */
  get last(): Zxid {
    return this.#proposer.last
  }

  /** When nodes are looked for whose time is over, or a batch is due; Infinity: neither is to be. */
  get wakeAtMs(): number {
    const { tree, zab } = this.#realm
    return Math.min(
      tree.hasPerishables ? this.#reapAtMs : Infinity,
      // While our own disk is behind, its answer is the next thing to wait for.
      this.last > zab.lastProposed && !this.#isDiskBehind ? this.#gathering.untilMs : Infinity,
    )
  }

  /** A request of a session that `sid` serves. */
  prepare(sid: Sid, request: Forwarded, link?: LinkId): void {
    const proposer = this.#proposer
    if (this.#isOver) return
    if (proposer.isNeedlessEnd(request)) {
      return this.#answerWhenSure({ link, number: request.number, ofSession: false })
    }
    if (proposer.waitingBytes + request.frame.length > limits.logBatchBytesMax) this.#cutBatch()
    proposer.prepare(sid, request, this.#nextTxnTimeMs())
  }

  /** Does the session live, so that it writes by this attachment from now on? If not, a quorum is asked and answers later. */
  revalidate(sid: Sid, asked: Revalidation, link?: LinkId): boolean {
    if (this.#isOver) return false
    const { number, session, attachment } = asked
    const isAlive = this.#proposer.revalidate(asSessionId(session), sid, attachment)
    if (!isAlive) this.#answerWhenSure({ link, number, ofSession: true })
    return isAlive
  }

  sync(number: number, link?: LinkId): void {
    this.#syncs.push({ link, number, ofSession: false, after: this.last })
  }

  /** Every persist up to this number is durable. */
  persisted(upTo: number): void {
    this.#unpersisted = this.#unpersisted.filter((number) => number > upTo)
  }

  applied(): void {
    const { zab, tree, now } = this.#realm
    this.#proposer.applied(tree.applied)
    if (tree.applied === zab.lastProposed) {
      this.#gathering.committed(now(), tree.applied, this.last - tree.applied)
    }
  }

  /** What a turn comes to, once all that it brought is prepared. */
  settle(turn: Turn): void {
    for (const configuration of this.#called.splice(0)) this.#realm.zab.call(configuration, turn)
    this.#reap()
    this.#propose(turn)
    this.#askQuorum(turn)
    this.#answerSyncs(turn)
  }

  get #isDiskBehind(): boolean {
    return this.#unpersisted.length >= limits.ownBatchesInFlightMax
  }

  /** The zxids are used up: what is proposed already ends this reign, and whoever asked asks the next leader. */
  get #isOver(): boolean {
    return counterOf(this.last) === limits.counterMax
  }

  /** What the proposer may ask the leader's consensus. */
  #ensemble(): Ensemble {
    const { zab } = this.#realm
    return {
      get active() {
        return zab.membership.active
      },
      gather: (configuration) => {
        const isSynced = zab.hasSynced(configuration)
        if (!isSynced) this.#called.push(configuration)
        return isSynced
      },
    }
  }

  /** The clock of a new leader may be behind; the times of txns never are. */
  #nextTxnTimeMs(): number {
    this.#lastTxnTimeMs = Math.max(this.#lastTxnTimeMs, this.#realm.now())
    return this.#lastTxnTimeMs
  }

  /** Containers that lost their last child go, and nodes that outlived their time (ContainerManager). */
  #reap(): void {
    const { tree, reaps, now } = this.#realm
    if (now() < this.#reapAtMs) return
    const { containerCheckIntervalMs, containerMaxPerMinute } = reaps
    this.#reapAtMs = now() + containerCheckIntervalMs
    const most = Math.ceil((containerMaxPerMinute * containerCheckIntervalMs) / 60_000)
    for (const path of tree.overdue(now(), most)) this.#proposer.reap(path, this.#nextTxnTimeMs())
  }

  /**
   * A batch costs every member a flush, however large it is. So what comes while others are under way waits until those are
   * committed, or until that takes long and it is as much as they are: a write alone never waits, and many become a few batches.
   * And then, where many were answered, a moment more for what they ask next.
   */
  #propose(turn: Turn): void {
    if (this.#isDiskBehind) return
    const { zab, tree, now } = this.#realm
    const { lastProposed } = zab
    const underWay = lastProposed - Math.max(tree.applied, this.#epochStart)
    const isPatient = now() < this.#proposedAtMs + limits.commitPatienceMs
    const waiting = this.last - lastProposed
    if (underWay > 0 && (isPatient || waiting < underWay)) return
    if (underWay <= 0 && waiting > 0 && this.#gathering.putsOff(now(), waiting)) return
    this.#cutBatch()
    if (this.#cutBatches.length > 0) this.#proposedAtMs = now()
    for (const batch of this.#cutBatches) {
      zab.propose(now(), batch, turn)
      const persist = turn.persist.at(-1)
      if (persist !== undefined) this.#unpersisted.push(persist.number)
    }
    this.#cutBatches = []
  }

  /** A batch is one log row, and a row has a size. */
  #cutBatch(): void {
    const batch = this.#proposer.take()
    if (batch !== undefined) this.#cutBatches.push(batch)
  }

  /** A leader that was replaced does not know the newest sessions: that one is no more, a quorum must say. */
  #answerWhenSure(asked: Omit<PendingSync, 'after'>): void {
    this.#unsure.push({ ...asked, after: this.last })
  }

  /** One round for all that came in a turn. */
  #askQuorum(turn: Turn): void {
    if (this.#unsure.length === 0) return
    const round = this.#realm.zab.askRound(turn)
    for (const asked of this.#unsure.splice(0)) this.#syncs.push({ ...asked, round })
  }

  #answerSyncs(turn: Turn): void {
    if (this.#syncs.length === 0) return
    const { zab, tree, askers } = this.#realm
    const isOver = ({ after, round }: PendingSync): boolean =>
      (after <= tree.applied || after === this.#epochStart) &&
      (round === undefined || zab.isConfirmed(round))
    const over = this.#syncs.filter(isOver)
    if (over.length === 0) return
    this.#syncs = this.#syncs.filter((sync) => !isOver(sync))
    for (const { link, number, ofSession } of over) {
      if (link !== undefined) {
        const answer = ofSession
          ? ({ type: 'revalidated', number, alive: false } as const)
          : ({ type: 'synced', number } as const)
        zab.send(link, answer, turn)
      } else if (ofSession) askers.revalidated(number, false)
      else askers.synced(number)
    }
  }
}
