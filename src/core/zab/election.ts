/**
 * Phase 0: Fast Leader Election, as ZooKeeper's FastLeaderElection.lookForLeader does it. One object is one search for
 * a leader. Votes of one round are gathered until a quorum agrees with ours and nobody better shows up for a while, or
 * until a quorum that already follows a leader is found, the leader among them.
 *
 * Two things differ. ZooKeeper's notes travel on TCP and the last one is said again on each new connection; ours may be
 * lost, so a note that is sent again asks for an answer, and news restart the clock of sending again. And when every
 * voter has voted the same, no better vote can come: nobody waits for one.
 */
import { limits } from '../shared/limits.ts'
import type { Sid } from '../shared/units.ts'
import type { Turn } from '../turn.ts'
import type { ZabConfig } from './config.ts'
import type { Notification, ServerState, Vote } from './messages.ts'
import type { Membership } from './membership.ts'
import { showPoint } from './show.ts'

/** `fastleader.minNotificationInterval` and its maximum. */
const resendMinMs = 200
const resendMaxMs = 60_000

/** Whom the ensemble follows, and the round that found out. */
export interface Elected {
  readonly vote: Vote
  readonly round: number
}

interface Heard {
  readonly vote: Vote
  readonly round: number
  readonly state: ServerState
}

export class Election {
  readonly #config: ZabConfig
  readonly #membership: Membership
  /** Our vote for ourselves; undefined at one whose vote does not count: he only asks. */
  readonly #own: Vote | undefined
  #round: number
  #vote: Vote | undefined
  /** What voters said in our round (recvset), our own vote among them. */
  readonly #votes = new Map<Sid, Heard>()
  /** What voters said that are not looking (outofelection). */
  readonly #settled = new Map<Sid, Heard>()
  /** Somebody goes by a reconfiguration that we lack: others than we know may have a vote. */
  #mayBeMore = false
  /** Whom such a one gives a vote: those who go by our configuration may be for them too. */
  readonly #othersElectors = new Set<Sid>()
  #finalizeAtMs = Infinity
  #resendMs = resendMinMs
  #resendAtMs = Infinity

  constructor(config: ZabConfig, membership: Membership, own: Vote | undefined, round: number) {
    this.#config = config
    this.#membership = membership
    this.#own = own
    this.#vote = own
    this.#round = round
  }

  get round(): number {
    return this.#round
  }

  get vote(): Vote | undefined {
    return this.#vote
  }

  get wakeAtMs(): number {
    return Math.min(this.#finalizeAtMs, this.#resendAtMs)
  }

  start(nowMs: number, turn: Turn): Elected | undefined {
    this.#propose(nowMs, this.#own, turn)
    return this.#conclude(nowMs)
  }

  wake(nowMs: number, turn: Turn): Elected | undefined {
    if (nowMs >= this.#finalizeAtMs) {
      if (this.#membership.isQuorum(this.#supporters())) return this.#elected()
      this.#finalizeAtMs = Infinity
    }
    if (nowMs < this.#resendAtMs) return undefined
    this.#resendMs = Math.min(this.#resendMs * 2, resendMaxMs)
    this.#resendAtMs = nowMs + this.#resendMs
    this.#broadcast(true, turn)
    return undefined
  }

  receive(nowMs: number, note: Notification, turn: Turn): Elected | undefined {
    if (!this.#mayElect(note, note.from)) return this.#tellStranger(note, turn)
    if (!this.#mayElect(note, note.vote.leader)) return undefined
    switch (note.state) {
      case 'looking':
        return this.#own && this.#receiveLooking(nowMs, note, this.#own, turn)
      case 'following':
      case 'leading':
        return this.#receiveSettled(nowMs, note)
      case 'observing':
        return undefined
    }
  }

  /** Who has a reconfiguration that we lack may have logged more, and needs our vote: whose it needs besides it judges itself. */
  #mayElect({ pending }: Notification, sid: Sid): boolean {
    if (this.#membership.isElector(sid)) return true
    for (const elector of pending?.electors ?? []) this.#othersElectors.add(elector)
    return this.#othersElectors.has(sid)
  }

  /** Whose vote does not count may still go by an older configuration, and look among those who are no members any more. */
  #tellStranger({ from, state, configuration }: Notification, turn: Turn): undefined {
    const { version } = this.#membership.active
    if (state === 'looking' && version > (configuration?.version ?? 0)) this.#tell(from, turn)
  }

  #receiveLooking(nowMs: number, note: Notification, own: Vote, turn: Turn): Elected | undefined {
    const current = this.#vote ?? own
    if (note.pending) this.#mayBeMore ||= note.pending.version > this.#membership.newest.version
    if (note.round < this.#round) {
      turn.log.push(`${note.from} votes in round ${note.round}, it is round ${this.#round}`)
      this.#tell(note.from, turn)
      return undefined
    }
    if (note.round > this.#round) {
      turn.log.push(`joins round ${note.round} of ${note.from}`)
      this.#round = note.round
      this.#votes.clear()
      const better = whyBeats(note.vote, own)
      if (better) turn.log.push(`yields to ${note.vote.leader}: ${better}`)
      this.#propose(nowMs, better ? note.vote : own, turn)
    } else if (beats(note.vote, current)) {
      turn.log.push(`yields to ${note.vote.leader}: ${whyBeats(note.vote, current)}`)
      this.#propose(nowMs, note.vote, turn)
    } else if (note.asks || beats(current, note.vote)) {
      this.#tell(note.from, turn)
    }
    this.#votes.set(note.from, note)
    return this.#conclude(nowMs)
  }

  /** Somebody has a leader: join them if a quorum has the same, and the leader says that it leads. */
  #receiveSettled(nowMs: number, note: Notification): Elected | undefined {
    const known = this.#settled.get(note.from)
    if (!known || known.round !== note.round || known.state !== note.state) this.#expectNews(nowMs)
    // A leader that misses us says so each tick: its followers will tell us more than it can.
    if (note.state === 'leading') {
      this.#resendAtMs = Math.min(this.#resendAtMs, nowMs + resendMinMs)
    }
    if (note.round === this.#round && this.#own) {
      this.#votes.set(note.from, note)
      if (this.#isLed(this.#votes, note)) return { vote: note.vote, round: note.round }
    }
    this.#settled.set(note.from, note)
    if (this.#isLed(this.#settled, note)) return { vote: note.vote, round: note.round }
    return undefined
  }

  #isLed(heard: ReadonlyMap<Sid, Heard>, note: Notification): boolean {
    const { leader } = note.vote
    const leads =
      leader === this.#config.sid
        ? this.#own !== undefined && note.round === this.#round
        : heard.get(leader)?.state === 'leading'
    return leads && this.#membership.mayFollow(supporters(heard, note))
  }

  /** Decides at once if everybody agrees, begins to wait for a better vote if a quorum does. */
  #conclude(nowMs: number): Elected | undefined {
    const agreed = this.#supporters()
    if (!this.#membership.isQuorum(agreed)) {
      this.#finalizeAtMs = Infinity
      return undefined
    }
    const isEverybody = agreed.length === this.#membership.electors.length && !this.#mayBeMore
    if (isEverybody) return this.#elected()
    // Voters that we do not know may change the votes of those we do: not to wait for that would be to leave without them, each time.
    const leastMs = this.#mayBeMore ? limits.newVotersWaitMs : 0
    const waitMs = Math.max(this.#config.finalizeWaitMs, leastMs)
    if (this.#finalizeAtMs === Infinity) this.#finalizeAtMs = nowMs + waitMs
    return undefined
  }

  #elected(): Elected | undefined {
    return this.#vote && { vote: this.#vote, round: this.#round }
  }

  #supporters(): Sid[] {
    const vote = this.#vote
    return vote ? supporters(this.#votes, { vote, round: this.#round, state: 'looking' }) : []
  }

  /** Changes our vote and says so. */
  #propose(nowMs: number, vote: Vote | undefined, turn: Turn): void {
    this.#vote = vote
    this.#finalizeAtMs = Infinity
    if (vote) this.#votes.set(this.#config.sid, { vote, round: this.#round, state: 'looking' })
    this.#expectNews(nowMs)
    this.#broadcast(false, turn)
  }

  #expectNews(nowMs: number): void {
    this.#resendMs = resendMinMs
    this.#resendAtMs = nowMs + resendMinMs
  }

  #broadcast(asks: boolean, turn: Turn): void {
    for (const to of this.#membership.electors) {
      if (to !== this.#config.sid) turn.notes.push({ to, note: this.#note(asks) })
    }
  }

  #tell(to: Sid, turn: Turn): void {
    turn.notes.push({ to, note: this.#note(false) })
  }

  #note(asks: boolean): Notification {
    const vote = this.#vote ?? noVote
    const { told: configuration, toldPending: pending } = this.#membership
    return {
      from: this.#config.sid,
      state: 'looking',
      vote,
      round: this.#round,
      asks,
      configuration,
      pending,
    }
  }
}

/** An observer's word: it looks for a leader and has nobody to propose. */
export const noVote = { leader: 0, zxid: 0, epoch: 0 } as Vote

/** Whether the first vote is the better one: epoch, then zxid, then sid (totalOrderPredicate). */
export const beats = (vote: Vote, other: Vote): boolean => whyBeats(vote, other) !== undefined

function whyBeats(vote: Vote, other: Vote): string | undefined {
  if (vote.epoch !== other.epoch) {
    return vote.epoch > other.epoch ? `epoch ${vote.epoch} beats ${other.epoch}` : undefined
  }
  if (vote.zxid !== other.zxid) {
    const better = `${showPoint(vote.zxid)} beats ${showPoint(other.zxid)}`
    return vote.zxid > other.zxid ? better : undefined
  }
  return vote.leader > other.leader ? `sid ${vote.leader} beats ${other.leader}` : undefined
}

function supporters(heard: ReadonlyMap<Sid, Heard>, wanted: Heard): Sid[] {
  return [...heard].filter(([, one]) => agrees(one, wanted)).map(([sid]) => sid)
}

/** Vote.equals: those who have settled may have come to the same leader by different rounds. */
function agrees(a: Heard, b: Heard): boolean {
  if (a.vote.leader !== b.vote.leader || a.vote.epoch !== b.vote.epoch) return false
  if (a.state !== 'looking' && b.state !== 'looking') return true
  return a.vote.zxid === b.vote.zxid && a.round === b.round
}
