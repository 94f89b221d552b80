/**
 * The member's side of its sessions: takes their requests from the edges, keeps each session's order, asks the leader
 * where the leader must decide, and writes every reply and event. Per session strictly first in, first out.
 */
import { Reader } from '../../jute/codec.ts'
import { invariant } from '../../shared/assert.ts'
import { asSessionId, type Sid } from '../../shared/units.ts'
import { operations } from '../../request/operations.ts'
import type { TreeEvent } from '../../tree/events.ts'
import type { Outcome, Tree } from '../../tree/tree.ts'
import type { TxnBody, TxnHeader } from '../../tree/txn.ts'
import { type Operation, operationOf } from '../../wire/opcodes.ts'
import { Admission } from './admission.ts'
import type { Attachment, Decided, Edge, Queued } from './attachment.ts'
import { type Authentication, isProvedEnough, prove } from './authentication.ts'
import { readUp, type UpMessage } from '../edge-messages.ts'
import { type ClientLine, Edges } from './edges.ts'
import { createsEphemeral } from './local-session.ts'
import { Outstanding, type Upstream, type Waiting } from './outstanding.ts'
import { Reception } from './reception.ts'
import { type DeskCounters, Replies } from './replies.ts'
import { Throttle } from './throttle.ts'
import { WatchBell } from './watch-bell.ts'

/** What the operator decided about sessions; names are the settings'. */
export interface DeskRules {
  readonly maxCnxns: number
  readonly maxClientCnxns: number
  readonly requestThrottleMaxRequests: number
  readonly throttledOpWaitTimeMs: number
  readonly localSessionsEnabled: boolean
  readonly localSessionsUpgradingEnabled: boolean
}

export class Desk {
  readonly #nowMs: () => number
  readonly #authentication: Authentication
  readonly #rules: DeskRules
  readonly #throttle: Throttle
  readonly #bell: WatchBell
  readonly #replies: Replies
  readonly #edges: Edges
  readonly #outstanding: Outstanding
  readonly #reception: Reception

  constructor(
    tree: () => Tree,
    nowMs: () => number,
    upstream: Upstream,
    authentication: Authentication,
    rules: DeskRules,
    firstNumber: number,
  ) {
    this.#authentication = authentication
    this.#rules = rules
    this.#throttle = new Throttle(rules.requestThrottleMaxRequests, rules.throttledOpWaitTimeMs)
    this.#bell = new WatchBell(tree)
    this.#replies = new Replies(tree, nowMs, this.#bell)
    this.#edges = new Edges(new Admission(rules.maxCnxns, rules.maxClientCnxns), this.#bell)
    this.#outstanding = new Outstanding(upstream, firstNumber)
    this.#reception = new Reception(
      tree,
      this.#edges,
      this.#outstanding,
      this.#bell,
      rules.localSessionsEnabled,
    )
    this.#nowMs = nowMs
  }

  /** There is no quorum: only reads are served, and only to clients that take that. */
  get isReadOnly(): boolean {
    return this.#reception.isReadOnly
  }

  set isReadOnly(isReadOnly: boolean) {
    this.#reception.isReadOnly = isReadOnly
  }

  get counters(): Readonly<DeskCounters> & { readonly events: number } {
    return { ...this.#replies.counters, events: this.#bell.told }
  }

  get connectionCount(): number {
    return this.#edges.attachedCount
  }

  get watchCount(): number {
    return this.#bell.watchCount
  }

  get outstandingCount(): number {
    return this.#outstanding.count
  }

  /** Clients that came when there were as many as may be. */
  get rejectedCount(): number {
    return this.#edges.rejectedCount
  }

  get localSessionCount(): number {
    return this.#edges.localSessionCount
  }

  /** When a request that waits for its turn is due, or late. */
  get wakeAtMs(): number {
    return this.#throttle.isNextDue(this.#outstanding.count)
      ? this.#nowMs()
      : this.#throttle.wakeAtMs
  }

  clients(): ClientLine[] {
    return this.#edges.clients()
  }

  /** Does the member owe this actor an answer? Then a call of the actor's is worth holding open. */
  owes(edge: number): boolean {
    return this.#edges.owes(edge)
  }

  /** What must go to the actor now, in pieces that calls can carry. */
  takeOutput(edge: number): readonly Uint8Array[] {
    return this.#edges.takeOutput(edge)
  }

  /** Edges with something to say. */
  edgesWithOutput(): Iterable<number> {
    return this.#edges.withOutput()
  }

  /** Takes one message of an actor. Throws MalformedFrame for bytes that are none. */
  receive(edgeId: number, bytes: Uint8Array): void {
    const edge = this.#edges.edge(edgeId)
    for (const message of readUp(bytes)) this.#receiveOne(edge, message)
  }

  /** A reconfiguration made these the members: actors look among them when they lose this one. */
  tellMembers(sids: readonly Sid[]): void {
    this.#edges.tellMembers(sids)
  }

  /** The actor is gone or begins anew: its attachments are dropped, its sessions live. */
  dropEdge(edgeId: number): void {
    this.#edges.drop(edgeId)
  }

  /** The member stopped to serve: nobody is attached any more. Answers the edges that were. */
  dropAll(): number[] {
    const dropped = this.#edges.dropAll()
    this.#outstanding.clear()
    this.#throttle.clear()
    return dropped
  }

  /** Requests that waited for their turn go to the leader, or are answered that they waited too long. */
  releaseThrottled(): void {
    for (;;) {
      const next = this.#throttle.next(this.#outstanding.count, this.#nowMs())
      if (next === undefined) return
      const { attachment, queued, isLate } = next
      if (attachment.isOver) continue
      if (isLate) {
        queued.decided = throttled
        this.#drain(attachment)
      } else this.#askLeader(attachment, queued)
    }
  }

  /** A txn was applied: events first, then the reply of whoever asked for it here. */
  applied(
    number: number | undefined,
    header: TxnHeader,
    body: TxnBody,
    outcome: Outcome,
    events: readonly TreeEvent[],
  ): void {
    for (const event of events) this.#bell.ring(event, header.zxid)
    const waiting = number === undefined ? undefined : this.#outstanding.waiting(number)
    if (waiting !== undefined && number !== undefined) {
      this.#outstanding.settle(number, waiting)
      this.#decided(waiting, body, outcome)
    }
    if (body.type === 'closeSession') this.#edges.end(asSessionId(header.session))
  }

  /** Is this the number of a request that waits here? Its stats are then worth computing. */
  waitsFor(number: number): boolean {
    return this.#outstanding.waiting(number) !== undefined
  }

  /**
   * A txn is about to be applied. Syncs in front of its request are over now: the leader ordered them before it. Reads
   * behind them must be answered from the tree as it is, not as this txn will make it.
   */
  willApply(number: number): void {
    const waiting = this.#outstanding.waiting(number)
    if (waiting?.type !== 'request') return
    const { queue } = waiting.attachment
    const before = queue.slice(0, queue.indexOf(waiting.queued))
    for (const { operation, decided, number: sync } of before) {
      if (operation === 'sync' && decided === undefined) this.synced(sync)
    }
  }

  synced(number: number): void {
    const waiting = this.#outstanding.waiting(number)
    const isOver =
      waiting?.type === 'list' || waiting?.type === 'expire' || waiting?.type === 'request'
    if (!isOver) return
    this.#outstanding.settle(number, waiting)
    if (waiting.type === 'list') return this.#reception.answerList(waiting.edge, waiting.asked)
    if (waiting.type === 'expire') return this.#reception.expired(waiting.edge, waiting.session)
    waiting.queued.decided = 'synced'
    this.#drain(waiting.attachment)
  }

  revalidated(number: number, isAlive: boolean): void {
    const waiting = this.#outstanding.waiting(number)
    if (waiting?.type !== 'resume') return
    this.#outstanding.settle(number, waiting)
    this.#reception.revalidated(waiting.attachment, isAlive)
  }

  #receiveOne(edge: Edge, message: UpMessage): void {
    switch (message.type) {
      case 'request':
        return this.#request(edge, message.slot, message.frame)
      case 'open':
        return this.#reception.open(edge, message)
      case 'resume':
        return this.#reception.resume(edge, message)
      case 'drop': {
        const attachment = edge.slots.get(message.slot)
        if (attachment !== undefined) this.#edges.detach(attachment)
        return undefined
      }
      case 'expire':
        return this.#reception.expire(edge, asSessionId(message.session))
      case 'list':
        return this.#reception.list(edge, message)
      case 'rearm':
        return this.#reception.rearm(edge, message)
    }
  }

  #request(edge: Edge, slot: number, frame: Uint8Array | null): void {
    const attachment = edge.slots.get(slot)
    if (attachment === undefined || attachment.isOver || attachment.isEnding) return
    this.#replies.counters.requests += 1
    attachment.received += 1
    if (frame === null || frame.length < 8) return this.#edges.hangup(attachment)
    const header = new Reader(frame)
    const xid = header.int()
    const operation = operationOf(header.int())
    const kind = operation === undefined ? 'absent' : operations[operation].kind
    const isLeaders = isDecidedByLeader(kind)
    const decided = this.#decideHere(attachment, operation, frame, isLeaders)
    const needsLeader = isLeaders && decided === undefined
    const queued: Queued = {
      xid,
      operation,
      frame,
      decided,
      identities: attachment.identities,
      needsLeader,
      number: 0,
      atMs: this.#nowMs(),
    }
    if (!needsLeader && attachment.queue.length === 0) return this.#answer(attachment, queued)
    attachment.queue.push(queued)
    attachment.isEnding = kind === 'absent' || isLast(decided)
    if (!needsLeader) return
    if (this.#throttle.holdsBack(this.#outstanding.count))
      this.#throttle.hold({ attachment, queued })
    else this.#askLeader(attachment, queued)
  }

  /** What need not be asked of the leader nor of the tree; undefined: it must. */
  #decideHere(
    attachment: Attachment,
    operation: Operation | undefined,
    frame: Uint8Array,
    isLeaders: boolean,
  ): Decided | undefined {
    if (operation === 'auth') return prove(attachment, frame, this.#authentication)
    if (operation !== 'sasl' && !isProvedEnough(attachment, this.#authentication)) return unproved
    if (!isLeaders || operation === undefined) return undefined
    if (attachment.isLocal && operation === 'closeSession') return 'closed'
    if (this.isReadOnly) return notReadOnly
    const canUpgrade = this.#rules.localSessionsUpgradingEnabled
    if (attachment.isLocal && !canUpgrade && createsEphemeral(operation, frame))
      return ephemeralOnLocal
    return undefined
  }

  #askLeader(attachment: Attachment, queued: Queued): void {
    const { operation, frame } = queued
    if (operation === 'sync') {
      return this.#outstanding.sync({ type: 'request', attachment, queued })
    }
    if (attachment.isLocal && operation !== undefined && createsEphemeral(operation, frame)) {
      this.#outstanding.createSession('upgrade', attachment)
      attachment.isLocal = false
    }
    this.#outstanding.write(attachment, queued)
  }

  #decided(waiting: Waiting, body: TxnBody, outcome: Outcome): void {
    switch (waiting.type) {
      case 'request':
        waiting.queued.decided = { body, outcome }
        return this.#drain(waiting.attachment)
      case 'open':
        return this.#reception.opened(waiting.attachment, outcome.err)
      case 'upgrade':
        return this.#reception.upgraded(waiting.attachment)
      case 'expire':
        return this.#reception.expired(waiting.edge, waiting.session)
      case 'resume':
      case 'list':
        return invariant(false, 'a revalidation is no txn, nor is a list')
    }
  }

  #drain(attachment: Attachment): void {
    const { queue } = attachment
    let done = 0
    for (; done < queue.length && !attachment.isOver; done++) {
      const next = queue[done] as Queued
      if (next.needsLeader && next.decided === undefined) break
      this.#answer(attachment, next)
      // Nothing behind the end of the session is answered: `applied` ends it next.
      if (hasEnded(next)) break
    }
    // Answering the last request of a session empties the queue by itself.
    if (queue.length > 0) queue.splice(0, done)
  }

  /** Writes the reply; some replies are the last word on their connection. */
  #answer(attachment: Attachment, queued: Queued): void {
    if (this.#replies.answer(attachment, queued) === 'hangup') this.#edges.hangup(attachment)
    else if (queued.decided === 'closed') this.#edges.end(attachment.session)
  }
}

const isDecidedByLeader = (kind: string): boolean =>
  kind === 'write' ||
  kind === 'multi' ||
  kind === 'closeSession' ||
  kind === 'sync' ||
  kind === 'reconfig'

const hasEnded = ({ decided }: Queued): boolean =>
  typeof decided === 'object' && 'body' in decided && decided.body.type === 'closeSession'

const isLast = (decided: Decided | undefined): boolean =>
  typeof decided === 'object' && 'isLast' in decided && decided.isLast

const unproved = { refusal: 'SessionClosedRequireSaslAuth', isLast: true } as const
const notReadOnly = { refusal: 'NotReadOnly', isLast: false } as const
const ephemeralOnLocal = { refusal: 'EphemeralOnLocalSession', isLast: false } as const
const throttled = { refusal: 'ThrottledOp', isLast: false } as const
