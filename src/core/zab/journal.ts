/**
 * What a member has promised and logged: its epochs, its history, how far it knows that to be committed. Memory moves
 * when a persist is asked for; words that depend on it wait here, in order, until the shell says it is durable.
 */
import { invariant } from '../shared/assert.ts'
import { asZxid, type Epoch, type Zxid } from '../shared/units.ts'
import type { LinkId, Persist, Turn } from '../turn.ts'
import type { ZabConfig } from './config.ts'
import type { Configuration } from './configuration.ts'
import { History } from './history.ts'
import type { LogBatch } from './log-batch.ts'
import { Membership } from './membership.ts'
import type { OwnPacket, Packet } from './messages.ts'
import { showMembers, showPoint } from './show.ts'

/** What a member reads from its store when it starts. */
export interface RestoredLog {
  readonly acceptedEpoch: Epoch
  readonly currentEpoch: Epoch
  /** The zxid just before the first retained txn. */
  readonly base: Zxid
  readonly batches: readonly LogBatch[]
  /** Applied in the checkpointed tree. */
  readonly committed: Zxid
  /** Its log or tree was damaged and put aside: it may have acknowledged what it no longer has (docs/decisions/0007). */
  readonly mustRecover: boolean
  /** The configuration persisted last; undefined: none was put in force yet. */
  readonly configuration: Configuration | undefined
}

/** What a learner received between the leader's choice and its NEWLEADER. */
export interface Catchup {
  readonly install: Zxid | undefined
  readonly truncate: Zxid | undefined
  readonly batches: readonly LogBatch[]
}

/** The link to ourselves: a leader counts its own promise and its own ack as it counts the others'. */
export const ownLink = 0

/** A word that waits for our disk; on our own link, for ourselves. */
type Waiting = { readonly number: number } & (
  | { readonly link: LinkId; readonly packet: Packet; readonly own: false }
  | { readonly link: typeof ownLink; readonly packet: OwnPacket; readonly own: true }
)

/** What waited for the disk: words to ourselves, and how far we acked our leader's log. */
interface Settled {
  readonly own: readonly OwnPacket[]
  readonly acked: Zxid | undefined
}

export class Journal {
  readonly history: History
  /** Follows the log: a reconfiguration counts as soon as it is logged. */
  readonly membership: Membership
  #acceptedEpoch: Epoch
  #currentEpoch: Epoch
  #committed: Zxid
  #mustRecover: boolean
  #issued = 0
  #durable = 0
  #waiting: Waiting[] = []
  #installing: { readonly number: number; readonly zxid: Zxid } | undefined

  constructor(config: ZabConfig, restored: RestoredLog) {
    const { base, batches, committed } = restored
    this.history = new History(base, batches, config.historyTxnsMax, config.counterStart)
    this.#acceptedEpoch = restored.acceptedEpoch
    this.#currentEpoch = restored.currentEpoch
    this.#committed = committed
    this.#mustRecover = restored.mustRecover
    this.membership = new Membership(restored.configuration ?? config.first)
    for (const { configuration } of batches) if (configuration) this.membership.log(configuration)
    this.membership.commit(committed)
    invariant(committed >= base, 'what the log lost is in the checkpoint')
    invariant(committed <= this.history.last, 'the checkpoint is not ahead of the log')
    invariant(restored.currentEpoch <= restored.acceptedEpoch, 'an epoch is accepted first')
  }

  get acceptedEpoch(): Epoch {
    return this.#acceptedEpoch
  }

  get currentEpoch(): Epoch {
    return this.#currentEpoch
  }

  get committed(): Zxid {
    return this.#committed
  }

  /** Whether this member lacks what it acknowledged, and counts for nothing until a leader gave it everything. */
  get mustRecover(): boolean {
    return this.#mustRecover
  }

  /** Promises to follow nobody of an older epoch. */
  accept(epoch: Epoch, turn: Turn): void {
    invariant(epoch > this.#acceptedEpoch, 'accepted epochs only grow')
    this.#acceptedEpoch = epoch
    this.#persist({ acceptedEpoch: epoch }, turn)
  }

  stageBegin(zxid: Zxid, turn: Turn): void {
    this.#persist({ stageBegin: zxid }, turn)
  }

  stageChunk(bytes: Uint8Array, turn: Turn): void {
    this.#persist({ stageChunk: bytes }, turn)
  }

  /**
   * Makes the leader's history and configuration ours and its epoch current, in one persist: a crash leaves all of it or
   * nothing.
   */
  enter(epoch: Epoch, catchup: Catchup, configuration: Configuration, turn: Turn): void {
    const { install, truncate, batches } = catchup
    invariant(epoch === this.#acceptedEpoch, 'the epoch entered is the one promised')
    invariant(truncate === undefined || truncate >= this.#committed, 'no committed txn is dropped')
    this.membership.forgetHeard()
    if (install !== undefined) this.#install(install)
    if (truncate !== undefined) this.#truncate(truncate)
    const isNews = this.membership.adopt(configuration)
    for (const batch of batches) this.#log(batch)
    this.#currentEpoch = epoch
    const recovered = this.#mustRecover
    this.#mustRecover = false
    this.#persist(
      {
        ...(recovered ? { recovered } : {}),
        ...(install === undefined ? {} : { install }),
        ...(truncate === undefined ? {} : { truncate }),
        ...(batches.length === 0 ? {} : { append: batches }),
        currentEpoch: epoch,
        ...(isNews ? { configuration } : {}),
      },
      turn,
    )
  }

  append(batch: LogBatch, turn: Turn): void {
    this.#log(batch)
    this.#persist({ append: [batch] }, turn)
  }

  /** Somebody says in an election that this configuration is in force. Whether that is news. */
  learn(configuration: Configuration, turn: Turn): boolean {
    if (!this.membership.adopt(configuration)) return false
    this.#persist({ configuration }, turn)
    return true
  }

  commit(zxid: Zxid, turn: Turn): void {
    invariant(zxid >= this.#committed, 'what is committed stays committed')
    invariant(zxid <= this.history.last, 'only what is logged is committed')
    this.#committed = zxid
    turn.committed = zxid
    if (!this.membership.commit(zxid)) return
    const { active } = this.membership
    turn.log.push(`configuration ${showPoint(active.version)}: ${showMembers(active)}`)
    this.#persist({ configuration: active }, turn)
  }

  /** Says it once everything asked for so far is durable. */
  whenDurable(link: LinkId, packet: Packet, turn: Turn): void {
    if (this.#issued === this.#durable) turn.send.push({ link, packet })
    else this.#waiting.push({ number: this.#issued, link, packet, own: false })
  }

  /** Tells ourselves. */
  whenOwnDurable(packet: OwnPacket): void {
    invariant(this.#issued > this.#durable, 'a member waits for its own disk only')
    this.#waiting.push({ number: this.#issued, link: ownLink, packet, own: true })
  }

  /** Sends what waited for persists up to `number`. */
  settle(number: number, turn: Turn): Settled {
    invariant(number <= this.#issued, 'durable is what was asked for')
    // Two flushes may be told of in either order; the later one covers the earlier.
    if (number <= this.#durable) return { own: [], acked: undefined }
    this.#durable = number
    if (this.#installing && this.#installing.number <= number) {
      turn.installed = this.#installing.zxid
      this.#installing = undefined
    }
    const count = this.#waiting.findIndex((one) => one.number > number)
    const ready = this.#waiting.splice(0, count < 0 ? this.#waiting.length : count)
    const own: OwnPacket[] = []
    let acked: Zxid | undefined
    for (const [index, one] of ready.entries()) {
      // Acks are cumulative: of those that became due together the last says it all.
      const next = ready[index + 1]
      const isRepeated = next?.packet.type === 'ack' && next.link === one.link
      if (one.packet.type === 'ack' && isRepeated) continue
      if (one.own) own.push(one.packet)
      else {
        turn.send.push({ link: one.link, packet: one.packet })
        if (one.packet.type === 'ack') acked = one.packet.zxid
      }
    }
    return { own, acked }
  }

  /** Nobody hears what waited to be said on this link. */
  forgetLink(link: LinkId): void {
    this.#waiting = this.#waiting.filter((one) => one.link !== link)
  }

  #log(batch: LogBatch): void {
    this.history.append(batch)
    if (batch.configuration) this.membership.log(batch.configuration)
  }

  #truncate(to: Zxid): void {
    this.history.truncate(to)
    this.membership.truncate(to)
  }

  #install(zxid: Zxid): void {
    this.history.reset(zxid)
    this.membership.truncate(asZxid(0))
    this.#committed = zxid
    this.#installing = { number: this.#issued + 1, zxid }
  }

  #persist(content: Omit<Persist, 'number'>, turn: Turn): void {
    this.#issued += 1
    turn.persist.push({ number: this.#issued, ...content })
  }
}
