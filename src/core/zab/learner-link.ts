/**
 * What a leader knows of one learner that joined it (LearnerHandler): how far it got, when it was last heard, what it
 * was sent and what it has.
 */
import { invariant } from '../shared/assert.ts'
import { seal } from '../shared/seal.ts'
import type { Sid, Zxid } from '../shared/units.ts'
import type { LinkId, Turn } from '../turn.ts'
import type { LogBatch } from './log-batch.ts'
import type { Packet } from './messages.ts'
import { demand } from './peer-fault.ts'

/** The checkpointed tree, consistent at `zxid`; the log after that is kept while it is open. */
export interface OpenSnapshot {
  readonly zxid: Zxid
  next(): Uint8Array | undefined
  close(): void
}

export interface SnapshotSource {
  open(): OpenSnapshot
}

export type LearnerStage =
  /** The link stands, nothing was said. */
  | { readonly type: 'joined' }
  /** It said FOLLOWERINFO or OBSERVERINFO, there is no new epoch yet. */
  | { readonly type: 'informed' }
  /** It was told the new epoch. */
  | { readonly type: 'asked' }
  /** It promised, and waits for its turn to be synchronized. */
  | { readonly type: 'promised'; readonly lastZxid: Zxid }
  | { readonly type: 'streaming'; readonly stream: SnapshotStream }
  /** It was sent everything up to `through` and NEWLEADER; proposals after that are forwarded. */
  | { readonly type: 'offered'; readonly through: Zxid }
  /** It acknowledged NEWLEADER. */
  | { readonly type: 'synced' }

type StageType = LearnerStage['type']

/** Stages in which it is the learner's turn to speak. */
const awaited: ReadonlySet<StageType> = new Set(['joined', 'asked', 'streaming', 'offered'])

export class LearnerLink {
  readonly link: LinkId
  readonly peer: Sid
  /** It said FOLLOWERINFO: it is given proposals and acks them, whether its ack counts or not. */
  follows = false
  heardMs: number
  /** Everything up to here is durable at the learner. */
  acked = 0 as Zxid
  /** Everything up to here it knows to be committed, or will by itself; an observer was sent no more. */
  told = 0 as Zxid
  /** Everything up to here it commits by itself, as soon as it has it durable. */
  pledged = 0 as Zxid
  /** Proposals that it is not yet sent, oldest first: a quorum can do without its ack. */
  withheld: { readonly batch: LogBatch; readonly atMs: number }[] = []
  /** How often it kept others waiting whose ack was not needed. */
  timesLate = 0
  /** Pings sent, and those it answered: on a link they keep their order. */
  #pinged = 0
  #ponged = 0
  #stage: LearnerStage = { type: 'joined' }

  constructor(link: LinkId, peer: Sid, nowMs: number) {
    this.link = link
    this.peer = peer
    this.heardMs = nowMs
  }

  get stage(): LearnerStage {
    return this.#stage
  }

  is(type: StageType): boolean {
    return this.#stage.type === type
  }

  /** The stage, which must be this one for what the learner says to make sense. */
  at<T extends StageType>(type: T): Extract<LearnerStage, { type: T }> {
    demand(this.#stage.type === type, `out of turn: it is ${this.#stage.type}, not ${type}`)
    return this.#stage as Extract<LearnerStage, { type: T }>
  }

  enter(stage: LearnerStage, nowMs: number): void {
    this.heardMs = nowMs
    this.#stage = stage
  }

  /** Whether it takes part in broadcast: every later proposal goes to it. */
  get isForwarded(): boolean {
    return this.is('offered') || this.is('synced')
  }

  isOverdue(nowMs: number, initLimitMs: number, syncLimitMs: number): boolean {
    const silentMs = nowMs - this.heardMs
    return this.is('synced')
      ? silentMs > syncLimitMs
      : awaited.has(this.#stage.type) && silentMs > initLimitMs
  }

  send(packet: Packet, turn: Turn): void {
    turn.send.push({ link: this.link, packet })
  }

  /** Sends the proposals that were withheld, through `through`. */
  release(through: Zxid, turn: Turn): void {
    const kept = this.withheld.findIndex(({ batch }) => batch.last > through)
    const released = this.withheld.splice(0, kept < 0 ? this.withheld.length : kept)
    for (const { batch } of released) this.send({ type: 'proposal', batch }, turn)
  }

  /** Answers the number of this ping. */
  ping(turn: Turn): number {
    this.#pinged += 1
    this.send({ type: 'ping' }, turn)
    return this.#pinged
  }

  pong(): void {
    demand(this.#ponged < this.#pinged, 'a pong that no ping asked for')
    this.#ponged += 1
  }

  hasAnswered(ping: number): boolean {
    return this.#ponged >= ping
  }

  /** Lets go of what a stage holds. */
  close(): void {
    if (this.#stage.type === 'streaming') this.#stage.stream.close()
  }
}

/** A snapshot on its way, a chunk for each acknowledgement. */
export class SnapshotStream {
  readonly #snapshot: OpenSnapshot
  #next: Uint8Array | undefined
  #ended = false

  constructor(snapshot: OpenSnapshot) {
    this.#snapshot = snapshot
    this.#next = snapshot.next()
  }

  get zxid(): Zxid {
    return this.#snapshot.zxid
  }

  /** Whether the last chunk was given. */
  get ended(): boolean {
    return this.#ended
  }

  chunk(): Packet {
    invariant(!this.#ended, 'a snapshot has one last chunk')
    const bytes = seal(this.#next ?? new Uint8Array())
    this.#next = this.#snapshot.next()
    this.#ended = this.#next === undefined
    return { type: 'snapChunk', bytes, last: this.#ended }
  }

  close(): void {
    this.#snapshot.close()
  }
}
