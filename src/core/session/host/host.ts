/**
 * The session actor's mind: holds many sessions and their clients' connections, passes frames between clients and
 * members, and judges who is alive. It alone hears the client, so it alone proposes a session's end.
 *
 * Here is what comes in; what becomes of a session is decided in `lifecycle.ts`.
 */
import { decode, MalformedFrame } from '../../jute/codec.ts'
import { ConnectRequest } from '../../jute/records.ts'
import { limits } from '../../shared/limits.ts'
import { asSessionId, asSid, type Sid } from '../../shared/units.ts'
import { type DownMessage, readDown } from '../edge-messages.ts'
import type { HostConfig, HostPorts } from './host-ports.ts'
import type { Connection, HostedSession } from './hosted.ts'
import { Lifecycle } from './lifecycle.ts'
import { MemberRing } from './member-ring.ts'
import { Recovery } from './recovery.ts'
import { Relay } from './relay.ts'
import { type NewClient, Roster } from './roster.ts'
import { Schedule } from './schedule.ts'
import { restore, type Survivor, survivorOf } from './survivor.ts'

export class Host {
  readonly #config: HostConfig
  readonly #ports: HostPorts
  readonly #schedule: Schedule
  readonly #members: MemberRing
  readonly #roster: Roster
  readonly #relay: Relay
  readonly #lifecycle: Lifecycle
  readonly #recovery: Recovery

  constructor(config: HostConfig, ports: HostPorts, nowMs: number) {
    const schedule = new Schedule(nowMs)
    const members = new MemberRing(config.home, config.members)
    const roster = new Roster(config, nowMs)
    const relay = new Relay(config.outstandingLimit, ports)
    this.#config = config
    this.#ports = ports
    this.#schedule = schedule
    this.#members = members
    this.#roster = roster
    this.#relay = relay
    this.#lifecycle = new Lifecycle(config, ports, schedule, members, roster, relay)
    this.#recovery = new Recovery(config, ports, schedule, members, roster)
  }

  get sessionCount(): number {
    return this.#roster.sessionCount
  }

  /** May a new client come to this actor? */
  get hasRoom(): boolean {
    return this.#roster.sessionCount + this.#roster.strangerCount < this.#config.sessionsMax
  }

  /** The time a durable alarm must be set for; Infinity: there is no session to judge. */
  get alarmAtMs(): number {
    return this.#schedule.alarmAtMs
  }

  /** When a member should be tried again, or a stranger is late; Infinity: nobody waits. */
  get retryAtMs(): number {
    const { retryAtMs } = this.#schedule
    const [oldest] = this.#roster.strangers()
    // The second list waits for the alarm: a timer of that length would keep a sleepy actor awake.
    if (oldest === undefined) return retryAtMs
    return Math.min(retryAtMs, oldest.sinceMs + limits.handshakeMs)
  }

  /** Requests of a connection that have no reply yet. */
  backlogOf(connection: number): number {
    return this.#roster.connection(connection)?.session?.unanswered ?? 0
  }

  /** Has a client that cannot be read slower sent more than anybody who reads his replies? */
  isFlooding(connection: number): boolean {
    const session = this.#roster.connection(connection)?.session
    if (session === undefined) return false
    const { unanswered, unansweredBytes } = session
    return unanswered > limits.socketBacklogMax || unansweredBytes > limits.socketBacklogBytesMax
  }

  /** Should a connection be read no further for now? One whose requests are all answered never waits. */
  isThrottled(connection: number): boolean {
    return this.#relay.isFull && this.backlogOf(connection) > 0
  }

  /** Asks the ensemble which sessions this actor has, unless that is known. */
  recover(nowMs: number): void {
    this.#schedule.nowMs = nowMs
    this.#recovery.ask()
  }

  /** A client came; its first frame will tell who it is. */
  connected(nowMs: number, client: NewClient): Connection {
    this.#schedule.nowMs = nowMs
    return this.#roster.addConnection(nowMs, client)
  }

  /** Whole frames of a client, in order: views of bytes that are the caller’s again afterwards. */
  receive(nowMs: number, id: number, frames: readonly Uint8Array[]): void {
    this.#schedule.nowMs = nowMs
    const connection = this.#roster.connection(id)
    if (connection === undefined || frames.length === 0) return
    let session = connection.session
    let first = 0
    if (session === undefined) {
      session = this.#greet(connection, frames[0] as Uint8Array)
      first = 1
    }
    if (session === undefined) return
    session.heardMs = nowMs
    for (let at = first; at < frames.length; at++) {
      this.#relay.request(session, frames[at] as Uint8Array)
    }
  }

  /** The client is gone; its session lives on until its time is over. */
  disconnected(nowMs: number, id: number): void {
    this.#schedule.nowMs = nowMs
    const connection = this.#roster.connection(id)
    if (connection !== undefined) this.#lifecycle.disconnected(connection)
  }

  /** What a member says. Throws MalformedFrame for bytes that are no message. */
  receiveDown(nowMs: number, member: Sid, payload: Uint8Array): void {
    this.#schedule.nowMs = nowMs
    for (const message of readDown(payload)) this.#receiveOne(member, message)
  }

  /** A member is not there or does not serve: its sessions look for another, or their clients do. */
  memberLost(nowMs: number, member: Sid): void {
    this.#schedule.nowMs = nowMs
    for (const session of this.#roster.sessions()) {
      if (session.member === member) this.#lifecycle.lostMember(session)
    }
  }

  /** Time passed: judges every session, and tries again what failed. */
  wake(nowMs: number): void {
    this.#schedule.nowMs = nowMs
    if (nowMs >= this.#schedule.retryAtMs) {
      this.#schedule.retryAtMs = Infinity
      this.#recovery.ask()
      for (const session of this.#roster.sessions()) {
        if (session.state === 'unserved') this.#lifecycle.attach(session)
      }
    }
    this.#recovery.askAgainIfDue()
    // A client that does not say who it is takes the room of others.
    for (const stranger of this.#roster.strangers()) {
      if (stranger.sinceMs + limits.handshakeMs > nowMs) break
      this.#lifecycle.hangup(stranger)
    }
    this.#schedule.alarmAtMs = this.#recovery.alarmAtMs
    for (const session of this.#roster.sessions()) this.#lifecycle.judge(session)
  }

  /** Sessions whose sockets would outlive this actor's memory, and are at rest. */
  survivors(): Survivor[] {
    const rows: Survivor[] = []
    for (const session of this.#roster.sessions()) {
      const row = survivorOf(session)
      if (row !== undefined) rows.push(row)
    }
    return rows
  }

  /** Takes back a session whose socket outlived our memory. */
  revive(nowMs: number, row: Survivor): void {
    this.#recovery.wasAtRest()
    const pinned = row.pinned === 0 ? undefined : asSid(row.pinned)
    const { connection: id, address, identities } = row
    const client = { id, pinned, survives: true, address, identities }
    const connection = this.connected(nowMs, client)
    connection.isGreeted = true
    connection.canBeReadOnly = row.canBeReadOnly
    const { session: sessionId, timeoutMs, slot } = row
    const session = this.#lifecycle.begin(asSessionId(sessionId), timeoutMs, connection, slot)
    restore(session, row)
    this.#lifecycle.awaitDeadline(session)
  }

  #greet(connection: Connection, frame: Uint8Array): HostedSession | undefined {
    let request: ConnectRequest
    try {
      request = decode(ConnectRequest, frame)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      this.#lifecycle.hangup(connection)
      return undefined
    }
    connection.withReadOnly = request.readOnly !== undefined
    connection.canBeReadOnly = request.readOnly === true
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#config
    const timeoutMs = Math.min(Math.max(request.timeOut, minSessionTimeoutMs), maxSessionTimeoutMs)
    const session =
      request.sessionId === 0n
        ? this.#openSession(connection, timeoutMs)
        : this.#resumeSession(connection, request, timeoutMs)
    if (session === undefined) return undefined
    session.lastZxid = request.lastZxidSeen
    this.#lifecycle.attach(session)
    return session
  }

  #openSession(connection: Connection, timeoutMs: number): HostedSession {
    const session = this.#lifecycle.begin(this.#roster.mintId(), timeoutMs, connection)
    session.isNew = true
    return session
  }

  #resumeSession(
    connection: Connection,
    request: ConnectRequest,
    timeoutMs: number,
  ): HostedSession | undefined {
    const id = asSessionId(request.sessionId)
    const known = this.#roster.session(id)
    // The password first: a stranger who guesses an id must not close its owner's connection.
    if (!isEqual(request.passwd, this.#ports.passwordOf(id)) || known?.state === 'expiring') {
      this.#lifecycle.refuse(connection)
      return undefined
    }
    if (known?.connection !== undefined) this.#lifecycle.hangup(known.connection)
    if (known !== undefined) this.#roster.freeSlot(known)
    const session = this.#lifecycle.begin(id, timeoutMs, connection)
    session.isLocal = known?.isLocal === true
    session.mayBeGlobal = known?.mayBeGlobal === true
    return session
  }

  #receiveOne(member: Sid, message: DownMessage): void {
    const roster = this.#roster
    switch (message.type) {
      case 'frames':
        return this.#relay.reply(roster.sessionAt(message.slot), message.frames)
      case 'event':
        for (const slot of message.slots) this.#relay.event(roster.sessionAt(slot), message.frame)
        return undefined
      case 'attached':
        return this.#lifecycle.attached(roster.sessionAt(message.slot), message.verdict)
      case 'proved': {
        const session = roster.sessionAt(message.slot)
        if (session !== undefined) session.identities = message.identities
        return undefined
      }
      case 'upgraded': {
        const session = roster.sessionAt(message.slot)
        if (session !== undefined) session.isLocal = false
        return undefined
      }
      case 'hangup': {
        const connection = roster.sessionAt(message.slot)?.connection
        if (connection !== undefined) this.#lifecycle.hangup(connection)
        return undefined
      }
      case 'ended':
        return this.#lifecycle.ended(roster.sessionAt(message.slot))
      case 'expired': {
        const session = roster.session(asSessionId(message.session))
        // One that is watched for a stray open was ended already; this tells of the same end.
        return session?.state === 'detached' ? undefined : this.#lifecycle.ended(session)
      }
      case 'sessions':
        return this.#recovered(member, message.sessions)
      case 'members':
        return this.#members.learn(message.sids)
    }
  }

  #recovered(
    member: Sid,
    found: readonly { readonly session: bigint; readonly timeoutMs: number }[],
  ): void {
    this.#recovery.listed()
    for (const { session, timeoutMs } of found) {
      const id = asSessionId(session)
      if (this.#roster.session(id) !== undefined) continue
      this.#lifecycle.begin(id, timeoutMs, undefined).member = member
    }
  }
}

/** Compares without telling by its duration where the difference is. */
function isEqual(given: Uint8Array | null, wanted: Uint8Array): boolean {
  if (given === null || given.length !== wanted.length) return false
  let difference = 0
  for (let at = 0; at < wanted.length; at++) {
    difference |= (given[at] as number) ^ (wanted[at] as number)
  }
  return difference === 0
}
