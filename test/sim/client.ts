/**
 * A client as ZooKeeper's own behaves: one session over one connection after another, requests in order, watches set
 * anew after each reconnect. What it wants is told by its tasks.
 */
import { encode, Writer } from '../../src/core/jute/codec.ts'
import { ConnectResponse, SetWatches2, WatcherEvent } from '../../src/core/jute/records.ts'
import { invariant } from '../../src/core/shared/assert.ts'
import { type EventType, opcodes, xids } from '../../src/core/wire/opcodes.ts'
import { readReply, writeConnectRequest } from '../../src/core/wire/packets.ts'
import { decode } from '../../src/core/jute/codec.ts'
import type { ClientLaws, Request, SessionLaws } from './client-laws.ts'
import type { Answer, Operation } from './model.ts'
import { answerOf, frameOf } from './operation-frames.ts'
import type { Wire } from './wire.ts'

/** What a task waits for. */
export type Step =
  | { readonly type: 'ask'; readonly operation: Operation }
  | { readonly type: 'sleep'; readonly ms: number }
  /** An event of this path, or the end of patience. */
  | { readonly type: 'event'; readonly path: string; readonly ms: number }

/** The answer to what was asked; undefined: nobody knows, or nothing was asked. */
export type Task = Generator<Step, void, Answer | undefined>

export interface ClientWorld {
  readonly laws: ClientLaws
  after(ms: number, run: () => void): void
  /** Opens a connection to the actor of this session, or to any. */
  connect(client: Client, session: bigint | undefined): Wire
  send(wire: Wire, frames: readonly Uint8Array[]): void
  ping(wire: Wire): void
  close(wire: Wire): void
  worldMs(): number
  /** Whether nobody that serves belonged to an older reign since then. */
  isUpToDateSince(ms: number): boolean
  trace(place: number, line: () => string): void
  newTasks(client: Client): Task[]
}

interface Pending {
  readonly xid: number
  readonly request: Request | undefined
  readonly task: Task | undefined
  readonly sentMs: number
}

export class Client {
  readonly place: number
  readonly #world: ClientWorld
  readonly #timeoutMs: number
  /** It is gone for good and says nothing more. */
  isGone = false
  #wire: Wire | undefined
  #isGreeted = false
  #session: SessionLaws | undefined
  #passwd = new Uint8Array(16)
  #grantedMs = 0
  #xid = 0
  #pending: Pending[] = []
  #heard = 0
  #parked: { readonly task: Task; readonly operation: Operation }[] = []
  #waiting: { readonly task: Task; readonly path: string }[] = []
  /** Grows with every session: what an older one scheduled is void. */
  #life = 0
  #mayReopen = true
  #parkedClose = false
  /** Our setWatches is under way: since when we ask, and the events that came before its answer. */
  #isRearming = false
  #since = 0
  #early: (() => void)[] = []
  connections = 0
  acknowledged = 0

  constructor(place: number, timeoutMs: number, world: ClientWorld) {
    this.place = place
    this.#timeoutMs = timeoutMs
    this.#world = world
  }

  get session(): bigint | undefined {
    return this.#session?.id
  }

  get isConnected(): boolean {
    return this.#isGreeted
  }

  /** A name that no other session's nodes have. */
  get name(): string {
    return `c${this.place}x${this.#life}`
  }

  connect(): void {
    if (this.isGone || this.#wire !== undefined) return
    this.connections += 1
    this.#isGreeted = false
    const wire = this.#world.connect(this, this.session)
    this.#wire = wire
    const frame = writeConnectRequest({
      protocolVersion: 0,
      lastZxidSeen: this.#session?.seen ?? 0,
      timeOut: this.#timeoutMs,
      sessionId: this.session ?? 0n,
      passwd: this.#passwd,
      readOnly: false,
    })
    this.#world.send(wire, [frame.subarray(4)])
    this.#watchSilence(wire)
  }

  /** The connection is over. */
  closed(wire: Wire): void {
    if (wire !== this.#wire) return
    this.#wire = undefined
    this.#isGreeted = false
    this.#isRearming = false
    const pending = this.#pending
    this.#pending = []
    this.#session?.watches.disconnected()
    if (this.#session) this.#session.replied = 0
    for (const { task } of pending) if (task) this.#resume(task, undefined)
    this.#world.after(3, () => this.connect())
  }

  /** Says nothing any more; its session must expire. */
  vanish(): void {
    this.isGone = true
    this.#life += 1
    const wire = this.#wire
    this.#wire = undefined
    if (wire !== undefined) this.#world.close(wire)
  }

  /** Its connection breaks; it will come back. */
  drop(): void {
    const wire = this.#wire
    if (wire === undefined) return
    this.#world.close(wire)
    this.closed(wire)
  }

  /** Closes its session, and opens no other. */
  leave(): void {
    this.#mayReopen = false
    // Until it is answered it is asked for anew with every connection.
    this.#parkedClose = true
    if (this.#isGreeted) this.#ask(undefined, { type: 'close' })
    else if (this.#session === undefined) this.vanish()
  }

  received(wire: Wire, bytes: Uint8Array): void {
    if (wire !== this.#wire) return
    this.#heard += 1
    for (let at = 0; at < bytes.length;) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getInt32(0)
      const frame = bytes.subarray(at + 4, at + 4 + length)
      at += 4 + length
      if (this.#isGreeted) this.#receive(frame)
      else this.#greeted(wire, frame)
      if (wire !== this.#wire) return
    }
  }

  pong(wire: Wire): void {
    if (wire === this.#wire) this.#heard += 1
  }

  /** A member armed our watches again, without our asking. */
  rearmed(wire: Wire, since: number, zxid: number): void {
    if (wire === this.#wire) this.#session?.watches.rearmed(since, zxid)
  }

  #greeted(wire: Wire, frame: Uint8Array): void {
    const { sessionId, passwd, timeOut } = decode(ConnectResponse, frame)
    if (sessionId === 0n) return this.#expired()
    this.#isGreeted = true
    const isNew = this.#session === undefined
    invariant(isNew || this.session === sessionId, 'a session is resumed as itself')
    this.#grantedMs = timeOut
    this.#passwd = new Uint8Array(passwd ?? new Uint8Array(16))
    this.#world.trace(this.place, () => `${isNew ? 'opens' : 'resumes'} ${sessionId.toString(16)}`)
    if (isNew) {
      this.#session = this.#world.laws.session(sessionId)
      this.#session.isKnown = true
      this.#life += 1
      for (const task of this.#world.newTasks(this)) this.#resume(task, undefined)
    } else this.#setWatches()
    this.#ping(wire)
    if (this.#parkedClose) return this.#ask(undefined, { type: 'close' })
    for (const { task, operation } of this.#parked.splice(0)) this.#ask(task, operation)
  }

  /** The session is no more: another life begins. */
  #expired(): void {
    this.#world.trace(this.place, () => `session ${this.session?.toString(16)} is over`)
    const session = this.#session
    if (session) session.mustBeOver = true
    this.#session = undefined
    this.#passwd = new Uint8Array(16)
    this.#life += 1
    this.#xid = 0
    this.#parked = []
    this.#waiting = []
    this.#pending = []
    const wire = this.#wire
    this.#wire = undefined
    if (wire !== undefined) this.#world.close(wire)
    if (!this.#mayReopen) this.isGone = true
    this.#world.after(50, () => this.connect())
  }

  #receive(frame: Uint8Array): void {
    const session = this.#session as SessionLaws
    const { laws } = this.#world
    const { header, body } = readReply(frame)
    const { xid, zxid, err } = header
    if (xid === xids.watchEvent) {
      const { type, path } = WatcherEvent.read(body)
      this.#world.trace(this.place, () => `event ${type} ${path} at ${zxid.toString(16)}`)
      const hear = (): void => laws.heard(session, zxid, type as EventType, path)
      // What our own setWatches finds is known when it is answered: at which zxid it looked.
      if (this.#isRearming) this.#early.push(hear)
      else hear()
      const woken = this.#waiting.filter((one) => one.path === path)
      this.#waiting = this.#waiting.filter((one) => one.path !== path)
      for (const { task } of woken) this.#resume(task, undefined)
      return
    }
    const next = this.#pending.shift()
    invariant(next?.xid === xid, `FIFO: reply ${xid}, expected was ${next?.xid}`)
    const { request, task, sentMs } = next
    if (request === undefined) {
      if (xid === xids.setWatches) this.#rearmedBySelf(zxid)
      return laws.shows(session, zxid, 'a ping')
    }
    const answer = answerOf(request.operation, err, body)
    this.#world.trace(
      this.place,
      () => `${xid} ${request.operation.type}: ${err} at ${zxid.toString(16)}`,
    )
    if (request.operation.type === 'sync' && this.#world.isUpToDateSince(sentMs)) {
      laws.synced(request, zxid)
    }
    laws.replied(request, zxid, answer)
    this.acknowledged += 1
    if (request.operation.type === 'close') return this.#expired()
    if (task !== undefined) this.#resume(task, answer)
  }

  #ask(task: Task | undefined, operation: Operation): void {
    const wire = this.#wire
    const session = this.#session
    if (wire === undefined || session === undefined || !this.#isGreeted) {
      if (task !== undefined) this.#parked.push({ task, operation })
      return
    }
    this.#xid += 1
    const request = this.#world.laws.sends(session, this.#xid, operation)
    this.#pending.push({ xid: this.#xid, request, task, sentMs: this.#world.worldMs() })
    this.#world.trace(this.place, () => `${request.xid} asks ${JSON.stringify(operation)}`)
    this.#world.send(wire, [frameOf(this.#xid, operation)])
  }

  #resume(task: Task, answer: Answer | undefined): void {
    const life = this.#life
    const { value: step, done } = task.next(answer)
    if (done === true) return
    switch (step.type) {
      case 'ask':
        return this.#ask(task, step.operation)
      case 'sleep':
        return this.#world.after(step.ms, () => {
          if (this.#life === life) this.#resume(task, undefined)
        })
      case 'event': {
        const waiting = { task, path: step.path }
        this.#waiting.push(waiting)
        return this.#world.after(step.ms, () => {
          const at = this.#waiting.indexOf(waiting)
          if (at < 0) return
          this.#waiting.splice(at, 1)
          this.#resume(task, undefined)
        })
      }
    }
  }

  #setWatches(): void {
    const { watches, seen } = this.#session as SessionLaws
    if (watches.isEmpty) return
    this.#since = seen
    const writer = new Writer()
    writer.int(xids.setWatches)
    writer.int(opcodes.setWatches2.code)
    writer.raw(
      encode(SetWatches2, {
        relativeZxid: seen,
        dataWatches: watches.paths('data'),
        existWatches: watches.paths('exist'),
        childWatches: watches.paths('child'),
        persistentWatches: watches.paths('persistent'),
        persistentRecursiveWatches: watches.paths('recursive'),
      }),
    )
    this.#pending.push({ xid: xids.setWatches, request: undefined, task: undefined, sentMs: 0 })
    this.#isRearming = true
    this.#early = []
    this.#world.send(this.#wire as Wire, [writer.take()])
  }

  #rearmedBySelf(zxid: number): void {
    this.#isRearming = false
    this.#session?.watches.rearmed(this.#since, zxid)
    for (const late of this.#early.splice(0)) late()
  }

  #ping(wire: Wire): void {
    const life = this.#life
    this.#world.after(this.#grantedMs / 3, () => {
      if (this.#wire !== wire || this.#life !== life) return
      if (wire.survives) this.#world.ping(wire)
      else {
        this.#pending.push({ xid: xids.ping, request: undefined, task: undefined, sentMs: 0 })
        this.#world.send(wire, [pingFrame])
      }
      this.#ping(wire)
    })
  }

  /** Whoever hears nothing for two thirds of its timeout tries another connection. */
  #watchSilence(wire: Wire): void {
    const heard = this.#heard
    this.#world.after(((this.#grantedMs || this.#timeoutMs) * 2) / 3, () => {
      if (this.#wire !== wire) return
      if (this.#heard > heard) return this.#watchSilence(wire)
      this.#world.close(wire)
      this.closed(wire)
    })
  }
}

const pingFrame = ((): Uint8Array => {
  const writer = new Writer()
  writer.int(xids.ping)
  writer.int(opcodes.ping.code)
  return writer.take()
})()
