/**
 * What clients may believe, checked from outside. Every txn that any member applies moves the model by the request it
 * came from; every reply is then compared with the model at the zxid the reply names.
 */
import { invariant } from '../../src/core/shared/assert.ts'
import { type TxnBody, type TxnHeader } from '../../src/core/tree/txn.ts'
import type { EventType } from '../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../src/core/wire/refusals.ts'
import type { MembershipLaws, Roles } from './membership-laws.ts'
import { type Answer, Model, type Operation, type Write } from './model.ts'
import { RecipeLaws } from './recipe-laws.ts'
import { WatchLaws } from './watch-laws.ts'

/** A request as its client remembers it. */
export interface Request {
  readonly session: SessionLaws
  readonly xid: number
  readonly operation: Operation
  /** The newest write anybody had an answer to when this was sent: real time says that this one comes later. */
  readonly after: number
  committed: { readonly zxid: number; readonly answer: Answer } | undefined
}

export class SessionLaws {
  readonly id: bigint
  readonly watches: WatchLaws
  readonly requests = new Map<number, Request>()
  /** The newest zxid the client was shown. */
  seen = 0
  /** The newest zxid a reply of this connection named. */
  replied = 0
  /** Of its txns the last one's cxid. */
  lastCxid = 0
  /** Its end was asked for: by its client, or because its time was over. */
  mayEnd = false
  /** Its client was told that it is no more. */
  mustBeOver = false
  /** A client was told that it has it. */
  isKnown = false
  begunAt = 0
  endedAt: number | undefined

  constructor(id: bigint, model: Model) {
    this.id = id
    this.watches = new WatchLaws(model)
  }
}

export class ClientLaws {
  readonly model = new Model()
  readonly membership: MembershipLaws
  readonly #recipes = new RecipeLaws(this.model)
  readonly sessions = new Map<bigint, SessionLaws>()
  /** The newest write that was answered. */
  #acked = 0
  operations = 0
  events = 0

  constructor(membership: MembershipLaws) {
    this.membership = membership
  }

  /** Times that something guarded by a lock or an election was written. */
  get guardedWrites(): number {
    return this.#recipes.guardedWrites
  }

  session(id: bigint): SessionLaws {
    const known = this.sessions.get(id)
    if (known) return known
    const session = new SessionLaws(id, this.model)
    this.sessions.set(id, session)
    return session
  }

  sends(session: SessionLaws, xid: number, operation: Operation): Request {
    const request = { session, xid, operation, after: this.#acked, committed: undefined }
    session.requests.set(xid, request)
    if (operation.type === 'close') session.mayEnd = true
    return request
  }

  /** The session's actor proposes its end: its time must be over. */
  expires(id: bigint, silentMs: number, timeoutMs: number): void {
    if (this.session(id).mayEnd) return
    invariant(silentMs >= timeoutMs, `Sessions: 0x${id.toString(16)} lives (${silentMs} ms silent)`)
    this.session(id).mayEnd = true
  }

  /** At which zxid the session began, if it lives. */
  livesSince(id: bigint): number | undefined {
    return this.model.sessions.has(id) ? this.session(id).begunAt : undefined
  }

  /** A member told the session's judge that it is no more: nobody will ask again. */
  expired(id: bigint, since: number): void {
    const isOver = this.livesSince(id) !== since
    invariant(isOver, `Sessions: 0x${id.toString(16)} lives, though its judge was told otherwise`)
  }

  /** A member is the first to apply this txn; `before`: who the members were. */
  committed(header: TxnHeader, body: TxnBody, before: Roles): void {
    const { session: id, cxid, zxid, time } = header
    const asker = { session: id, zxid, timeMs: time }
    const session = this.session(id)
    if (body.type === 'createSession') return this.#began(session, zxid)
    if (body.type === 'closeSession') return this.#ended(session, cxid, asker)
    const request = session.requests.get(cxid)
    if (request === undefined) {
      // The judge's close of a session that is no more.
      return invariant(cxid === 0 && body.type === 'error', `Integrity: nobody asked for ${cxid}`)
    }
    invariant(request.committed === undefined, 'Integrity: a request is applied once')
    if (body.type === 'error' && this.#isTooLate(id, body.err)) {
      request.committed = { zxid, answer: { err: body.err } }
      return
    }
    invariant(cxid > session.lastCxid, 'FIFO: a session’s writes are applied in their order')
    session.lastCxid = cxid
    invariant(zxid > request.after, 'Linearizable: what was answered before comes before')
    const { operation } = request
    if (operation.type === 'reconfig' && body.type === 'reconfig') {
      this.membership.requested(before, operation)
      request.committed = { zxid, answer: { err: 0, data: textOf(body.data) } }
    } else request.committed = { zxid, answer: this.#outcome(operation, body, asker) }
  }

  /** What was under way to a member that the session has left is refused, whenever it comes. */
  #isTooLate(id: bigint, err: number): boolean {
    if (err === errorCodes.SessionExpired) return !this.model.sessions.has(id)
    return err === errorCodes.SessionMoved
  }

  /** A reply arrived. `answer` is what it says, in the model's words. */
  replied(request: Request, zxid: number, answer: Answer): void {
    const { session, operation, xid } = request
    const what = `${operation.type} ${xid} of 0x${session.id.toString(16)}`
    this.operations += 1
    session.requests.delete(xid)
    this.shows(session, zxid, what)
    switch (operation.type) {
      case 'get':
      case 'exists':
      case 'children':
        same(what, answer, this.model.read(operation, zxid))
        break
      case 'sync':
      case 'addWatch':
      case 'removeWatches':
        break
      case 'create':
      case 'set':
      case 'delete':
      case 'check':
      case 'multi':
      case 'close':
      case 'reconfig':
        this.#acknowledged(request, zxid, answer, what)
    }
    session.replied = zxid
    this.#arm(request, zxid, answer)
  }

  /** A reply shows the session the tree at `zxid`. */
  shows(session: SessionLaws, zxid: number, what: string): void {
    invariant(zxid >= session.seen, `Sequential: ${what} goes back from ${session.seen} to ${zxid}`)
    session.watches.shown(zxid)
    session.seen = zxid
  }

  heard(session: SessionLaws, zxid: number, type: EventType, path: string): void {
    this.events += 1
    session.watches.heard(zxid, type, path)
    if (zxid > session.seen) session.seen = zxid
  }

  /** A sync was answered by a member of the newest reign: what was answered before it was asked is to be seen. */
  synced(request: Request, zxid: number): void {
    invariant(zxid >= request.after, 'Sync: it shows all that was answered before it')
  }

  #acknowledged(request: Request, zxid: number, answer: Answer, what: string): void {
    const { committed, session } = request
    invariant(committed !== undefined, `Durable: ${what} is answered and not committed`)
    invariant(committed.zxid <= zxid, `Durable: ${what} is answered before it is applied`)
    invariant(committed.zxid > session.replied, `FIFO: a read before ${what} has seen it`)
    same(what, answer, committed.answer)
    this.#acked = Math.max(this.#acked, committed.zxid)
  }

  #arm({ operation, session }: Request, zxid: number, { err }: Answer): void {
    const { watches } = session
    if (operation.type === 'addWatch') {
      watches.arm(operation.recursive ? 'recursive' : 'persistent', operation.path, zxid)
    } else if (operation.type === 'removeWatches' && err === 0) watches.disarm(operation.path)
    else if ('watch' in operation && operation.watch) {
      if (err === 0)
        watches.arm(operation.type === 'children' ? 'child' : 'data', operation.path, zxid)
      else if (operation.type === 'exists') watches.arm('exist', operation.path, zxid)
    }
  }

  /** What the model makes of a request, which must be what the txn says. */
  #outcome(operation: Operation, body: TxnBody, asker: Parameters<Model['end']>[0]): Answer {
    if (body.type === 'error') {
      const { err } = body
      if (!this.model.sessions.has(asker.session)) {
        invariant(err === errorCodes.SessionExpired, 'a session that is no more is refused')
        return { err }
      }
    }
    invariant(this.model.sessions.has(asker.session), 'Sessions: only who lives writes')
    const err = body.type === 'error' ? body.err : 0
    if (operation.type === 'reconfig') {
      invariant(mayRefuse.has(err), `reconfig: refused with ${err}`)
      return { err }
    }
    const answer = this.model.write(operation as Write, asker)
    const isMulti = operation.type === 'multi'
    invariant(
      isMulti || answer.err === err,
      `${operation.type}: ${err}, the model says ${answer.err}`,
    )
    this.#recipes.committed(operation, answer, asker)
    return answer
  }

  /** An actor may ask twice for a session of which it heard nothing, but no client's session begins anew. */
  #began(session: SessionLaws, zxid: number): void {
    session.begunAt = zxid
    const isAnew = session.endedAt !== undefined
    invariant(!isAnew || !session.isKnown, 'Sessions: what ended does not begin again')
    session.endedAt = undefined
    this.model.open(session.id)
  }

  #ended(session: SessionLaws, cxid: number, asker: Parameters<Model['end']>[0]): void {
    const id = `0x${session.id.toString(16)}`
    invariant(session.mayEnd, `Sessions: ${id} ends though nobody asked for it`)
    invariant(session.endedAt === undefined, `Sessions: ${id} ends once`)
    session.endedAt = asker.zxid
    const request = session.requests.get(cxid)
    if (request) request.committed = { zxid: asker.zxid, answer: { err: 0 } }
    this.model.end(asker)
  }
}

/** Who follows, and what is under way, only the leader knows. */
const mayRefuse: ReadonlySet<number> = new Set([
  errorCodes.ReconfigInProgress,
  errorCodes.NewConfigNoQuorum,
  errorCodes.BadArguments,
])

const textOf = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? undefined)

function same(what: string, answer: Answer, wanted: Answer): void {
  if (answer.err !== wanted.err && wanted.results === undefined) {
    invariant(false, `Sequential: ${what} answered ${answer.err}, the model says ${wanted.err}`)
  }
  for (const key of ['data', 'path'] as const) {
    if (answer[key] === undefined || answer[key] === wanted[key]) continue
    invariant(false, `Sequential: ${what} has ${key} ${answer[key]}, the model ${wanted[key]}`)
  }
  if (answer.children !== undefined) {
    const [is, should] = [answer.children.toSorted().join(), wanted.children?.join()]
    invariant(is === should, `Sequential: ${what} has children ${is}, the model ${should}`)
  }
  if (answer.stat !== undefined) sameStat(what, answer.stat, wanted.stat)
  answer.results?.forEach((result, at) =>
    same(`${what}.${at}`, result, wanted.results?.[at] ?? wanted),
  )
}

function sameStat(what: string, stat: object, wanted: object | undefined): void {
  for (const [key, value] of Object.entries(stat)) {
    const should = (wanted as Record<string, unknown> | undefined)?.[key]
    if (value !== should) {
      invariant(false, `Sequential: ${what} has ${key} ${value}, the model ${String(should)}`)
    }
  }
}
