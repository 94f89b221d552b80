/**
 * The member's side of its sessions: takes their requests from the edges, keeps each session's order, asks the leader
 * where the leader must decide, and writes every reply and event. Per session strictly first in, first out.
 */
import { encode, Reader, Writer } from '../jute/codec.ts'
import { CreateSessionTxn } from '../jute/records.ts'
import { invariant } from '../shared/assert.ts'
import { asSessionId, type SessionId, type Sid } from '../shared/units.ts'
import { byItsJudge, type Forwarded } from '../request/forward.ts'
import { operations } from '../request/operations.ts'
import type { Identity } from '../tree/acl.ts'
import type { TreeEvent } from '../tree/events.ts'
import type { Outcome, Tree } from '../tree/tree.ts'
import type { TxnBody, TxnHeader } from '../tree/txn.ts'
import { type Operation, opcodes, operationOf } from '../wire/opcodes.ts'
import { Admission } from './admission.ts'
import { Attachment, type Decided, type Edge, type Queued } from './attachment.ts'
import { type Authentication, isProvedEnough, prove } from './authentication.ts'
import { readUp, type UpMessage, verdicts } from './edge-messages.ts'
import { EdgeOutbox } from './edge-outbox.ts'
import { createsEphemeral } from './local-session.ts'
import type { AskedWatches } from './rearm.ts'
import { type DeskCounters, Replies } from './replies.ts'
import { Throttle } from './throttle.ts'
import { WatchBell } from './watch-bell.ts'

/** The way to the leader, whoever it is. Numbers come back with the answers. */
export interface Upstream {
  forward(request: Forwarded): void
  sync(number: number): void
  revalidate(number: number, session: SessionId, attachment: number): void
}

/** Who waits for the answer of a number. */
type Waiting =
  | { readonly type: 'request'; readonly attachment: Attachment; readonly queued: Queued }
  | { readonly type: 'open' | 'upgrade' | 'resume'; readonly attachment: Attachment }
  | { readonly type: 'expire'; readonly edge: Edge; readonly session: SessionId }
  | { readonly type: 'list'; readonly edge: Edge; readonly asked: ListQuestion }

/** What the operator decided about sessions; names are the settings'. */
export interface DeskRules {
  readonly maxCnxns: number
  readonly maxClientCnxns: number
  readonly requestThrottleMaxRequests: number
  readonly throttledOpWaitTimeMs: number
  readonly localSessionsEnabled: boolean
  readonly localSessionsUpgradingEnabled: boolean
}

type ListQuestion = UpMessage & { readonly type: 'list' }

/** One client as `stat` lists it. */
export interface ClientLine {
  readonly address: string
  readonly session: SessionId
  readonly queued: number
  readonly received: number
  readonly sent: number
}

export class Desk {
  readonly #tree: () => Tree
  readonly #nowMs: () => number
  readonly #upstream: Upstream
  readonly #authentication: Authentication
  readonly #rules: DeskRules
  readonly #admission: Admission
  readonly #throttle: Throttle
  readonly #bell: WatchBell
  readonly #replies: Replies
  readonly #edges = new Map<number, Edge>()
  readonly #attached = new Map<SessionId, Attachment>()
  #members: readonly Sid[] | undefined
  readonly #waiting = new Map<number, Waiting>()
  /** Numbers of requests go on from a place of chance: those of an earlier life must not be taken for ours. */
  #lastNumber: number
  /** There is no quorum: only reads are served, and only to clients that take that. */
  isReadOnly = false

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
    this.#admission = new Admission(rules.maxCnxns, rules.maxClientCnxns)
    this.#throttle = new Throttle(rules.requestThrottleMaxRequests, rules.throttledOpWaitTimeMs)
    this.#bell = new WatchBell(tree)
    this.#replies = new Replies(tree, nowMs, this.#bell)
    this.#tree = tree
    this.#nowMs = nowMs
    this.#upstream = upstream
    this.#lastNumber = firstNumber
  }

  get counters(): Readonly<DeskCounters> & { readonly events: number } {
    return { ...this.#replies.counters, events: this.#bell.told }
  }

  get connectionCount(): number {
    return this.#attached.size
  }

  get watchCount(): number {
    return this.#bell.watchCount
  }

  get outstandingCount(): number {
    return this.#waiting.size
  }

  /** Clients that came when there were as many as may be. */
  get rejectedCount(): number {
    return this.#admission.rejected
  }

  get localSessionCount(): number {
    let count = 0
    for (const { isLocal } of this.#attached.values()) if (isLocal) count += 1
    return count
  }

  /** When a request that waits for its turn is due, or late. */
  get wakeAtMs(): number {
    const { size } = this.#waiting
    return this.#throttle.isNextDue(size) ? this.#nowMs() : this.#throttle.wakeAtMs
  }

  clients(): ClientLine[] {
    return Array.from(this.#attached.values(), ({ address, session, queue, received, sent }) => ({
      address,
      session,
      queued: queue.length,
      received,
      sent,
    }))
  }

  /** Does the member owe this actor an answer? Then a call of the actor's is worth holding open. */
  owes(edge: number): boolean {
    return (this.#edges.get(edge)?.owed ?? 0) > 0
  }

  /** What must go to the actor now, in pieces that calls can carry. */
  takeOutput(edge: number): readonly Uint8Array[] {
    return this.#edges.get(edge)?.outbox.take() ?? []
  }

  /** Edges with something to say. */
  *edgesWithOutput(): Generator<number> {
    for (const edge of this.#edges.values()) if (!edge.outbox.isEmpty) yield edge.id
  }

  /** Takes one message of an actor. Throws MalformedFrame for bytes that are none. */
  receive(edgeId: number, bytes: Uint8Array): void {
    const edge = this.#edgeOf(edgeId)
    for (const message of readUp(bytes)) this.#receiveOne(edge, message)
  }

  /** A reconfiguration made these the members: actors look among them when they lose this one. */
  tellMembers(sids: readonly Sid[]): void {
    this.#members = sids
    for (const { outbox } of this.#edges.values()) outbox.send({ type: 'members', sids })
  }

  /** The actor is gone or begins anew: its attachments are dropped, its sessions live. */
  dropEdge(edgeId: number): void {
    const edge = this.#edges.get(edgeId)
    if (edge === undefined) return
    for (const attachment of edge.slots.values()) this.#detach(attachment)
    this.#edges.delete(edgeId)
  }

  /** The member stopped to serve: nobody is attached any more. Answers the edges that were. */
  dropAll(): number[] {
    const dropped = [...this.#edges.keys()]
    for (const edge of dropped) this.dropEdge(edge)
    this.#waiting.clear()
    this.#throttle.clear()
    return dropped
  }

  /** Requests that waited for their turn go to the leader, or are answered that they waited too long. */
  releaseThrottled(): void {
    for (;;) {
      const next = this.#throttle.next(this.#waiting.size, this.#nowMs())
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
    const waiting = number === undefined ? undefined : this.#waiting.get(number)
    if (waiting !== undefined && number !== undefined) {
      this.#settle(number, waiting)
      this.#decided(waiting, body, outcome)
    }
    if (body.type === 'closeSession') this.#end(asSessionId(header.session))
  }

  /** Is this the number of a request that waits here? Its stats are then worth computing. */
  waitsFor(number: number): boolean {
    return this.#waiting.has(number)
  }

  /**
   * A txn is about to be applied. Syncs in front of its request are over now: the leader ordered them before it. Reads
   * behind them must be answered from the tree as it is, not as this txn will make it.
   */
  willApply(number: number): void {
    const waiting = this.#waiting.get(number)
    if (waiting?.type !== 'request') return
    const { queue } = waiting.attachment
    const before = queue.slice(0, queue.indexOf(waiting.queued))
    for (const { operation, decided, number: sync } of before) {
      if (operation === 'sync' && decided === undefined) this.synced(sync)
    }
  }

  synced(number: number): void {
    const waiting = this.#waiting.get(number)
    const isOver =
      waiting?.type === 'list' || waiting?.type === 'expire' || waiting?.type === 'request'
    if (!isOver) return
    this.#settle(number, waiting)
    if (waiting.type === 'list') return this.#answerList(waiting.edge, waiting.asked)
    if (waiting.type === 'expire') return this.#expired(waiting)
    waiting.queued.decided = 'synced'
    this.#drain(waiting.attachment)
  }

  revalidated(number: number, isAlive: boolean): void {
    const waiting = this.#waiting.get(number)
    if (waiting?.type !== 'resume') return
    this.#settle(number, waiting)
    const { attachment } = waiting
    if (attachment.isOver) return
    this.#resumed(attachment, isAlive ? verdicts.alive : verdicts.gone)
  }

  #receiveOne(edge: Edge, message: UpMessage): void {
    switch (message.type) {
      case 'request':
        return this.#request(edge, message.slot, message.frame)
      case 'open':
        return this.#open(edge, message)
      case 'resume':
        return this.#resume(edge, message)
      case 'drop': {
        const attachment = edge.slots.get(message.slot)
        if (attachment !== undefined) this.#detach(attachment)
        return undefined
      }
      case 'expire':
        return this.#expire(edge, asSessionId(message.session))
      case 'list':
        return this.#list(edge, message)
      case 'rearm':
        return this.#rearm(edge, message)
    }
  }

  #edgeOf(id: number): Edge {
    const known = this.#edges.get(id)
    if (known !== undefined) return known
    const edge = { id, outbox: new EdgeOutbox(), slots: new Map(), owed: 0 }
    this.#edges.set(id, edge)
    if (this.#members) edge.outbox.send({ type: 'members', sids: this.#members })
    return edge
  }

  /** Undefined: the client may not come in, and its actor was told why. */
  #attach(edge: Edge, asked: UpMessage & { type: 'open' | 'resume' }): Attachment | undefined {
    const before = this.#attached.get(asSessionId(asked.session))
    if (before !== undefined) this.#detach(before)
    const there = edge.slots.get(asked.slot)
    if (there !== undefined) this.#detach(there)
    const refusal = this.#whyNot(asked)
    if (refusal !== undefined) {
      edge.outbox.send({ type: 'attached', slot: asked.slot, verdict: refusal })
      return undefined
    }
    const attachment = new Attachment(edge, this.#nextNumber(), asked)
    edge.slots.set(asked.slot, attachment)
    this.#attached.set(attachment.session, attachment)
    return attachment
  }

  #whyNot(asked: UpMessage & { type: 'open' | 'resume' }): number | undefined {
    if (asked.lastZxid > this.#tree().applied) return verdicts.behind
    if (this.isReadOnly && !asked.canBeReadOnly) return verdicts.unwelcome
    return this.#admission.admit(asked.address) ? undefined : verdicts.crowded
  }

  #detach(attachment: Attachment): void {
    if (!attachment.isOver) this.#admission.left(attachment.address)
    attachment.isOver = true
    this.#bell.drop(attachment)
    attachment.queue.length = 0
    if (attachment.edge.slots.get(attachment.slot) === attachment) {
      attachment.edge.slots.delete(attachment.slot)
    }
    if (this.#attached.get(attachment.session) === attachment) {
      this.#attached.delete(attachment.session)
    }
  }

  #open(edge: Edge, message: UpMessage & { readonly type: 'open' }): void {
    const attachment = this.#attach(edge, message)
    if (attachment === undefined) return
    if (!this.isReadOnly && !this.#rules.localSessionsEnabled) {
      return this.#createSession({ type: 'open', attachment })
    }
    attachment.isLocal = true
    this.#answerAttach(attachment, this.isReadOnly ? verdicts.readOnly : verdicts.local)
  }

  #createSession(waiting: Waiting & { readonly type: 'open' | 'upgrade' }): void {
    const { attachment } = waiting
    const asked = encode(CreateSessionTxn, { timeOut: attachment.timeoutMs })
    this.#forward(waiting, attachment, requestFrame(opcodes.createSession.code, asked))
  }

  #resume(edge: Edge, message: UpMessage & { readonly type: 'resume' }): void {
    const attachment = this.#attach(edge, message)
    if (attachment === undefined) return
    const { session } = attachment
    attachment.resuming = [{ relativeZxid: message.lastZxid, ...message }]
    const isGlobal = this.#tree().sessions.has(session)
    attachment.isLocal = message.isLocal && !isGlobal
    if (this.isReadOnly) {
      // A session we know nothing of may be alive all the same, where the quorum is.
      const isKnown = isGlobal || message.isLocal
      return this.#resumed(attachment, isKnown ? verdicts.readOnly : verdicts.unwelcome)
    }
    if (attachment.isLocal) return this.#resumed(attachment, verdicts.local)
    const number = this.#await({ type: 'resume', attachment }, edge)
    this.#upstream.revalidate(number, session, attachment.number)
  }

  #resumed(attachment: Attachment, verdict: number): void {
    this.#answerAttach(attachment, verdict)
    const watches = attachment.resuming ?? []
    attachment.resuming = undefined
    if (!attachment.isOver) for (const asked of watches) this.#bell.rearm(attachment, asked)
  }

  #rearm(edge: Edge, message: UpMessage & { readonly type: 'rearm' }): void {
    const attachment = edge.slots.get(message.slot)
    if (attachment === undefined) return
    const asked: AskedWatches = { relativeZxid: message.lastZxid, ...message }
    if (attachment.resuming !== undefined) attachment.resuming.push(asked)
    else this.#bell.rearm(attachment, asked)
  }

  #answerAttach(attachment: Attachment, verdict: number): void {
    const { edge, slot } = attachment
    edge.outbox.send({ type: 'attached', slot, verdict })
    const isServed =
      verdict === verdicts.alive || verdict === verdicts.local || verdict === verdicts.readOnly
    if (!isServed) this.#detach(attachment)
  }

  #expire(edge: Edge, session: SessionId): void {
    // Without a quorum no session ends; its actor asks again, or somebody else.
    if (this.isReadOnly) return
    const number = this.#await({ type: 'expire', edge, session }, edge)
    const frame = requestFrame(opcodes.closeSession.code, nothing)
    this.#upstream.forward({
      number,
      session,
      attachment: byItsJudge,
      identities: nobody,
      isLocal: false,
      frame,
    })
  }

  /** An actor that asks which sessions it has must hear of the newest too, or nobody would judge them. */
  #list(edge: Edge, asked: ListQuestion): void {
    if (this.isReadOnly) return
    this.#upstream.sync(this.#await({ type: 'list', edge, asked }, edge))
  }

  #answerList(edge: Edge, asked: ListQuestion): void {
    const sessions = []
    for (const [session, timeoutMs] of this.#tree().sessions) {
      if (session >= asked.idsFrom && session <= asked.idsTo) sessions.push({ session, timeoutMs })
    }
    edge.outbox.send({ type: 'sessions', number: asked.number, sessions })
  }

  #request(edge: Edge, slot: number, frame: Uint8Array | null): void {
    const attachment = edge.slots.get(slot)
    if (attachment === undefined || attachment.isOver || attachment.isEnding) return
    this.#replies.counters.requests += 1
    attachment.received += 1
    if (frame === null || frame.length < 8) return this.#hangup(attachment)
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
    if (this.#throttle.holdsBack(this.#waiting.size)) this.#throttle.hold({ attachment, queued })
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
    const waiting: Waiting = { type: 'request', attachment, queued }
    if (operation === 'sync') return this.#upstream.sync(this.#await(waiting, attachment.edge))
    if (attachment.isLocal && operation !== undefined && createsEphemeral(operation, frame)) {
      this.#createSession({ type: 'upgrade', attachment })
      attachment.isLocal = false
    }
    this.#forward(waiting, attachment, frame, queued.identities)
  }

  #forward(
    waiting: Waiting,
    attachment: Attachment,
    frame: Uint8Array,
    identities: readonly Identity[] = attachment.identities,
  ): void {
    const number = this.#await(waiting, attachment.edge)
    const { session, isLocal } = attachment
    const asked = { number, session, attachment: attachment.number, identities, isLocal, frame }
    this.#upstream.forward(asked)
  }

  #await(waiting: Waiting, edge: Edge): number {
    const number = this.#nextNumber()
    invariant(!this.#waiting.has(number), 'a request number is used once at a time')
    this.#waiting.set(number, waiting)
    if (waiting.type === 'request') waiting.queued.number = number
    edge.owed += 1
    return number
  }

  /** The answer is here: it is owed no longer. */
  #settle(number: number, waiting: Waiting): void {
    this.#waiting.delete(number)
    const edge = 'edge' in waiting ? waiting.edge : waiting.attachment.edge
    edge.owed -= 1
  }

  /** Never 0, which means nobody's: not asked, or asked by the session's judge. */
  #nextNumber(): number {
    this.#lastNumber = (this.#lastNumber % 0x7fff_ffff) + 1
    return this.#lastNumber
  }

  #decided(waiting: Waiting, body: TxnBody, outcome: Outcome): void {
    switch (waiting.type) {
      case 'request':
        waiting.queued.decided = { body, outcome }
        return this.#drain(waiting.attachment)
      case 'open':
        if (waiting.attachment.isOver) return undefined
        return this.#answerAttach(
          waiting.attachment,
          outcome.err === 0 ? verdicts.alive : verdicts.taken,
        )
      case 'upgrade': {
        const { attachment } = waiting
        if (attachment.isOver) return undefined
        return attachment.edge.outbox.send({ type: 'upgraded', slot: attachment.slot })
      }
      case 'expire':
        return this.#expired(waiting)
      case 'resume':
      case 'list':
        return invariant(false, 'a revalidation is no txn, nor is a list')
    }
  }

  #expired({ edge, session }: Waiting & { readonly type: 'expire' }): void {
    edge.outbox.send({ type: 'expired', session })
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
    if (this.#replies.answer(attachment, queued) === 'hangup') this.#hangup(attachment)
    else if (queued.decided === 'closed') this.#end(attachment.session)
  }

  #hangup(attachment: Attachment): void {
    attachment.edge.outbox.send({ type: 'hangup', slot: attachment.slot })
    this.#detach(attachment)
  }

  #end(session: SessionId): void {
    const attachment = this.#attached.get(session)
    if (attachment === undefined) return
    attachment.edge.outbox.send({ type: 'ended', slot: attachment.slot })
    this.#detach(attachment)
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

const nobody: readonly never[] = []
const nothing = new Uint8Array(0)

/** A request frame of the member's own making. */
function requestFrame(code: number, body: Uint8Array): Uint8Array {
  const writer = new Writer(16)
  writer.int(0)
  writer.int(code)
  writer.raw(body)
  return writer.take()
}
