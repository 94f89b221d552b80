/**
 * The session actor's mind: holds many sessions and their clients' connections, passes frames between clients and
 * members, and judges who is alive. It alone hears the client, so it alone proposes a session's end.
 */
import { decode, MalformedFrame, Reader } from '../jute/codec.ts'
import { ConnectRequest, ReplyHeader, WatcherEvent } from '../jute/records.ts'
import { limits } from '../shared/limits.ts'
import { asSessionId, asSid, type SessionId, type Sid } from '../shared/units.ts'
import { opcodes } from '../wire/opcodes.ts'
import { refusedConnectResponse, writeConnectResponse } from '../wire/packets.ts'
import { type DownMessage, readDown, type UpMessage, verdicts } from './edge-messages.ts'
import type { Connection, HostedSession, Survivor } from './hosted.ts'
import { WatchRecord } from './watch-record.ts'

export interface HostConfig {
  /** The member this actor's sessions are born at, and the actor's number there: the high bits of its session ids. */
  readonly home: Sid
  readonly number: number
  /** The first members, until one of them says who they are now. */
  readonly members: readonly Sid[]
  readonly tickTimeMs: number
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly sessionsMax: number
  /** Requests without a reply that this actor reads for all its clients; then those that have some wait. */
  readonly outstandingLimit: number
}

/** What the host asks of its actor; all of it takes place after the step, in this order per connection. */
export interface HostPorts {
  write(connection: number, frames: Uint8Array): void
  hangup(connection: number): void
  up(member: Sid, message: UpMessage): void
  /** 16 bytes that nobody without the actor's secret can derive from the id. */
  passwordOf(session: SessionId): Uint8Array
  /** When the platform last answered a ping of this connection for us; 0 if never. */
  pingedMs(connection: number): number
}

export class Host {
  readonly #config: HostConfig
  /** Where to look for one that serves. */
  #members: readonly Sid[]
  readonly #ports: HostPorts
  readonly #connections = new Map<number, Connection>()
  /** Connections whose clients have not said who they are, the oldest first. */
  readonly #strangers = new Set<Connection>()
  readonly #sessions = new Map<SessionId, HostedSession>()
  readonly #slots = new Map<number, HostedSession>()
  #now: number
  #lastSlot = 0
  #lastSerial: bigint
  #alarmAtMs = Infinity
  #retryAtMs = Infinity
  #isRecovered = false
  /** After a crash: when an open of the life before can no longer be under way, and the list is asked for once more. */
  #listAgainAtMs = Infinity
  #wasListedTwice = false
  #recoverFrom: Sid | undefined
  /** Sums over all sessions. */
  #unanswered = 0
  #unansweredBytes = 0

  constructor(config: HostConfig, ports: HostPorts, nowMs: number) {
    this.#config = config
    this.#members = config.members
    this.#ports = ports
    this.#now = nowMs
    // Time goes on while the actor is away, and no actor opens a thousand sessions a second for long: serials do not
    // come twice. If one ever does, the leader says that the id is taken.
    this.#lastSerial = BigInt(nowMs) & serialMask
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  /** May a new client come to this actor? */
  get hasRoom(): boolean {
    return this.#sessions.size + this.#strangers.size < this.#config.sessionsMax
  }

  /** The time a durable alarm must be set for; Infinity: there is no session to judge. */
  get alarmAtMs(): number {
    return this.#alarmAtMs
  }

  /** When a member should be tried again, or a stranger is late; Infinity: nobody waits. */
  get retryAtMs(): number {
    const [oldest] = this.#strangers
    // The second list waits for the alarm: a timer of that length would keep a sleepy actor awake.
    if (oldest === undefined) return this.#retryAtMs
    return Math.min(this.#retryAtMs, oldest.sinceMs + limits.handshakeMs)
  }

  /** Requests of a connection that have no reply yet. */
  backlogOf(connection: number): number {
    return this.#connections.get(connection)?.session?.unanswered ?? 0
  }

  /** Has a client that cannot be read slower sent more than anybody who reads his replies? */
  isFlooding(connection: number): boolean {
    const session = this.#connections.get(connection)?.session
    if (session === undefined) return false
    const { unanswered, unansweredBytes } = session
    return unanswered > limits.socketBacklogMax || unansweredBytes > limits.socketBacklogBytesMax
  }

  /** Should a connection be read no further for now? One whose requests are all answered never waits (globalOutstandingLimit). */
  isThrottled(connection: number): boolean {
    const isTooMuch =
      this.#unanswered > this.#config.outstandingLimit ||
      this.#unansweredBytes > limits.unansweredBytesMax
    return isTooMuch && this.backlogOf(connection) > 0
  }

  /** Asks the ensemble which sessions this actor has: after a crash it knows none, and must judge them all the same. */
  recover(nowMs: number): void {
    this.#now = nowMs
    if (this.#isRecovered) return
    const prefix = (BigInt(this.#config.home) << 56n) | (BigInt(this.#config.number) << 40n)
    const idsFrom = BigInt.asIntN(64, prefix)
    const idsTo = BigInt.asIntN(64, prefix | serialMask)
    this.#recoverFrom = this.#memberFor(undefined, this.#recoverFrom)
    this.#ports.up(this.#recoverFrom, { type: 'list', number: 0, idsFrom, idsTo })
    this.#retryAt(nowMs + this.#config.tickTimeMs)
  }

  /** A client came; its first frame will tell who it is. */
  connected(
    nowMs: number,
    client: Pick<Connection, 'id' | 'pinned' | 'survives' | 'address' | 'identities'>,
  ): Connection {
    this.#now = nowMs
    const connection: Connection = {
      ...client,
      sinceMs: nowMs,
      session: undefined,
      isGreeted: false,
      withReadOnly: false,
      canBeReadOnly: false,
    }
    this.#connections.set(client.id, connection)
    this.#strangers.add(connection)
    return connection
  }

  /** Whole frames of a client, in order. */
  receive(nowMs: number, id: number, frames: readonly Uint8Array[]): void {
    this.#now = nowMs
    const connection = this.#connections.get(id)
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
      const frame = frames[at] as Uint8Array
      session.unanswered += 1
      session.unansweredBytes += frame.length
      this.#unanswered += 1
      this.#unansweredBytes += frame.length
      this.#pass(session, frame)
    }
  }

  /** The client is gone; its session lives on until its time is over. */
  disconnected(nowMs: number, id: number): void {
    this.#now = nowMs
    const connection = this.#connections.get(id)
    if (connection !== undefined) this.#forgetConnection(connection)
  }

  /** What a member says. Throws MalformedFrame for bytes that are no message. */
  receiveDown(nowMs: number, member: Sid, payload: Uint8Array): void {
    this.#now = nowMs
    for (const message of readDown(payload)) this.#receiveOne(member, message)
  }

  /** A member is not there or does not serve: its sessions look for another, or their clients do. */
  memberLost(nowMs: number, member: Sid): void {
    this.#now = nowMs
    for (const session of this.#sessions.values()) {
      if (session.member !== member) continue
      if (session.state === 'expiring') this.#expiryFailed(session)
      else this.#lostMember(session)
    }
  }

  /** Time passed: judges every session, and tries again what failed. */
  wake(nowMs: number): void {
    this.#now = nowMs
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Infinity
      this.recover(nowMs)
      for (const session of this.#sessions.values()) this.#retry(session)
    }
    if (nowMs >= this.#listAgainAtMs) this.#listAgain(nowMs)
    // A client that does not say who it is takes the room of others.
    for (const stranger of this.#strangers) {
      if (stranger.sinceMs + limits.handshakeMs > nowMs) break
      this.#hangup(stranger)
    }
    this.#alarmAtMs = this.#recoveryAlarmMs()
    for (const session of this.#sessions.values()) this.#judge(session)
  }

  /** Sessions whose sockets would outlive this actor's memory, and are at rest. */
  survivors(): Survivor[] {
    const rows: Survivor[] = []
    for (const session of this.#sessions.values()) {
      const { connection, member, watches } = session
      if (connection?.survives !== true || session.state !== 'serving') continue
      // At rest a request without its reply has lost it: its client must be told by the end of the connection.
      if (session.outstanding > 0) continue
      rows.push({
        connection: connection.id,
        session: session.id,
        timeoutMs: session.timeoutMs,
        heardMs: session.heardMs,
        pinned: connection.pinned ?? 0,
        address: connection.address,
        member: member ?? 0,
        slot: session.slot,
        lastZxid: session.lastZxid,
        ...watches.lists,
        identities: session.identities,
        canBeReadOnly: connection.canBeReadOnly,
        isLocal: session.isLocal,
        mayBeGlobal: session.mayBeGlobal,
        isReadOnly: session.isReadOnly,
      })
    }
    return rows
  }

  /** Takes back a session whose socket outlived our memory. */
  revive(nowMs: number, row: Survivor): void {
    this.#now = nowMs
    // Who hibernates is at rest: nothing of the life before is under way.
    this.#wasListedTwice = true
    const pinned = row.pinned === 0 ? undefined : asSid(row.pinned)
    const { connection: id, address, identities } = row
    const client = { id, pinned, survives: true, address, identities }
    const connection = this.connected(nowMs, client)
    connection.isGreeted = true
    connection.canBeReadOnly = row.canBeReadOnly
    const session = this.#newSession(asSessionId(row.session), row.timeoutMs, connection, row.slot)
    session.heardMs = row.heardMs
    this.#alarmAtMs = Math.min(this.#alarmAtMs, this.#deadlineOf(session))
    session.member = asSid(row.member)
    session.state = 'serving'
    session.lastZxid = row.lastZxid
    for (const path of row.dataWatches) session.watches.data.add(path)
    for (const path of row.existWatches) session.watches.exist.add(path)
    for (const path of row.childWatches) session.watches.child.add(path)
    for (const path of row.persistentWatches) session.watches.persistent.add(path)
    for (const path of row.persistentRecursiveWatches) session.watches.recursive.add(path)
    session.isLocal = row.isLocal
    session.mayBeGlobal = row.mayBeGlobal
    session.isReadOnly = row.isReadOnly
    this.#lastSlot = Math.max(this.#lastSlot, row.slot)
  }

  #greet(connection: Connection, frame: Uint8Array): HostedSession | undefined {
    let request: ConnectRequest
    try {
      request = decode(ConnectRequest, frame)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      this.#hangup(connection)
      return undefined
    }
    connection.withReadOnly = request.readOnly !== undefined
    connection.canBeReadOnly = request.readOnly === true
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#config
    const timeoutMs = Math.min(Math.max(request.timeOut, minSessionTimeoutMs), maxSessionTimeoutMs)
    const session =
      request.sessionId === 0n
        ? this.#openSession(connection, request, timeoutMs)
        : this.#resumeSession(connection, request, timeoutMs)
    if (session !== undefined) this.#attach(session)
    return session
  }

  #openSession(connection: Connection, request: ConnectRequest, timeoutMs: number): HostedSession {
    const session = this.#newSession(this.#mintId(), timeoutMs, connection)
    session.isNew = true
    session.lastZxid = request.lastZxidSeen
    return session
  }

  #resumeSession(
    connection: Connection,
    request: ConnectRequest,
    timeoutMs: number,
  ): HostedSession | undefined {
    const id = asSessionId(request.sessionId)
    const known = this.#sessions.get(id)
    // The password first: a stranger who guesses an id must not close its owner's connection.
    if (!isEqual(request.passwd, this.#ports.passwordOf(id)) || known?.state === 'expiring') {
      this.#refuse(connection)
      return undefined
    }
    if (known?.connection !== undefined) this.#hangup(known.connection)
    if (known !== undefined) this.#slots.delete(known.slot)
    const session = this.#newSession(id, timeoutMs, connection)
    session.lastZxid = request.lastZxidSeen
    session.isLocal = known?.isLocal === true
    session.mayBeGlobal = known?.mayBeGlobal === true
    return session
  }

  #newSession(
    id: SessionId,
    timeoutMs: number,
    connection: Connection | undefined,
    slot?: number,
  ): HostedSession {
    this.#lastSlot += 1
    const session: HostedSession = {
      id,
      timeoutMs,
      heardMs: this.#now,
      connection,
      member: undefined,
      slot: slot ?? this.#lastSlot,
      state: 'detached',
      lastZxid: 0,
      outstanding: 0,
      unanswered: 0,
      unansweredBytes: 0,
      held: [],
      watches: new WatchRecord(),
      identities: connection?.identities ?? [],
      failingSinceMs: undefined,
      isNew: false,
      isLocal: false,
      mayBeGlobal: false,
      isReadOnly: false,
      hasStrayOpen: false,
    }
    if (connection !== undefined) {
      connection.session = session
      this.#strangers.delete(connection)
    }
    this.#sessions.set(id, session)
    this.#slots.set(session.slot, session)
    this.#alarmAtMs = Math.min(this.#alarmAtMs, this.#deadlineOf(session))
    return session
  }

  #mintId(): SessionId {
    this.#lastSerial = (this.#lastSerial + 1n) & serialMask
    const { home, number } = this.#config
    const id = (BigInt(home) << 56n) | (BigInt(number) << 40n) | this.#lastSerial
    return asSessionId(BigInt.asIntN(64, id))
  }

  /** Asks a member to serve the session. */
  #attach(session: HostedSession): void {
    const { connection, slot, id, timeoutMs, watches, lastZxid, identities, isLocal } = session
    const address = connection?.address ?? ''
    const canBeReadOnly = connection?.canBeReadOnly === true
    session.member = this.#memberFor(connection?.pinned, session.member)
    if (session.isNew) {
      session.state = 'opening'
      return this.#ports.up(session.member, {
        type: 'open',
        slot,
        session: id,
        timeoutMs,
        address,
        lastZxid,
        identities,
        canBeReadOnly,
      })
    }
    session.state = 'resuming'
    const { member } = session
    for (const [at, part] of watches.parts(limits.watchPathBytesMax).entries()) {
      if (at > 0) this.#ports.up(member, { type: 'rearm', slot, lastZxid, ...part })
      else {
        const resumed = { slot, session: id, timeoutMs, address, lastZxid, identities }
        const how = { canBeReadOnly, isLocal }
        this.#ports.up(member, { type: 'resume', ...resumed, ...how, ...part })
      }
    }
  }

  /** The member a client asked for; else home first, and after a failure the next one. */
  #memberFor(pinned: Sid | undefined, failed?: Sid): Sid {
    const { home } = this.#config
    const members = this.#members
    if (pinned !== undefined) return pinned
    if (failed === undefined) return home
    return members[(members.indexOf(failed) + 1) % members.length] ?? home
  }

  #pass(session: HostedSession, frame: Uint8Array): void {
    if (session.state !== 'serving') {
      session.held.push(frame)
      return
    }
    session.outstanding += 1
    if (session.connection?.survives === true && frame.length >= 8) {
      const header = new Reader(frame)
      const xid = header.int()
      session.watches.noteRequest(xid, header.int(), frame)
    }
    if (session.isLocal && frame.length >= 8) {
      session.mayBeGlobal ||= creations.has(new Reader(frame, 4).int())
    }
    this.#ports.up(session.member as Sid, { type: 'request', slot: session.slot, frame })
  }

  #receiveOne(member: Sid, message: DownMessage): void {
    switch (message.type) {
      case 'frames':
        return this.#receiveReply(this.#slots.get(message.slot), message.frames)
      case 'event':
        for (const slot of message.slots) this.#receiveEvent(this.#slots.get(slot), message.frame)
        return undefined
      case 'attached':
        return this.#attached(this.#slots.get(message.slot), message.verdict)
      case 'proved': {
        const session = this.#slots.get(message.slot)
        if (session !== undefined) session.identities = message.identities
        return undefined
      }
      case 'upgraded': {
        const session = this.#slots.get(message.slot)
        if (session !== undefined) session.isLocal = false
        return undefined
      }
      case 'hangup': {
        const session = this.#slots.get(message.slot)
        if (session?.connection !== undefined) this.#hangup(session.connection)
        return undefined
      }
      case 'ended':
        return this.#end(this.#slots.get(message.slot))
      case 'expired': {
        const session = this.#sessions.get(asSessionId(message.session))
        // One that is watched for a stray open was ended already; this tells of the same end.
        return session?.state === 'detached' ? undefined : this.#end(session)
      }
      case 'sessions':
        return this.#recovered(member, message.sessions)
      case 'members':
        return this.#learnMembers(message.sids)
    }
  }

  #learnMembers(sids: readonly number[]): void {
    const members = sids.filter((sid) => sid >= 1 && sid <= limits.sidMax).map(asSid)
    if (members.length > 0) this.#members = members
  }

  /** A client may ask under any xid, that of watch events too: only the member knows which of the two it sent. */
  #receiveReply(session: HostedSession | undefined, frames: Uint8Array | null): void {
    const connection = session?.connection
    if (session === undefined || connection === undefined || frames === null) return
    const header = new Reader(frames, 4)
    const xid = header.int()
    const zxid = header.long()
    if (zxid > session.lastZxid) session.lastZxid = zxid
    this.#replied(session)
    if (connection.survives) session.watches.noteReply(xid, header.int())
    this.#ports.write(connection.id, frames)
  }

  #receiveEvent(session: HostedSession | undefined, frame: Uint8Array | null): void {
    const connection = session?.connection
    if (session === undefined || connection === undefined || frame === null) return
    const reader = new Reader(frame, 4)
    const { zxid } = ReplyHeader.read(reader)
    if (zxid > session.lastZxid) session.lastZxid = zxid
    if (connection.survives) {
      const { type, path } = WatcherEvent.read(reader)
      session.watches.noteEvent(type, path)
    }
    this.#ports.write(connection.id, frame)
  }

  #replied(session: HostedSession): void {
    session.outstanding -= 1
    // As if all that wait were of one length: to know better, every one's would have to be kept.
    const share = Math.ceil(session.unansweredBytes / session.unanswered)
    session.unanswered -= 1
    session.unansweredBytes -= share
    this.#unanswered -= 1
    this.#unansweredBytes -= share
  }

  /** Nobody waits for its replies any more. */
  #settleAccount(session: HostedSession): void {
    this.#unanswered -= session.unanswered
    this.#unansweredBytes -= session.unansweredBytes
    session.unanswered = 0
    session.unansweredBytes = 0
  }

  #attached(session: HostedSession | undefined, verdict: number): void {
    if (session === undefined || (session.state !== 'opening' && session.state !== 'resuming'))
      return
    switch (verdict) {
      case verdicts.taken:
        return this.#renumber(session)
      case verdicts.gone:
        return this.#gone(session)
      case verdicts.behind:
      case verdicts.unwelcome:
      case verdicts.crowded:
        return this.#notServed(session)
    }
    if (verdict === verdicts.local) session.isLocal = true
    else if (verdict === verdicts.alive) session.isLocal = false
    // What begins without a quorum is nothing to the ensemble: it ends with its connection.
    else if (session.isNew) session.isLocal = true
    session.isReadOnly = verdict === verdicts.readOnly
    this.#serve(session)
  }

  #serve(session: HostedSession): void {
    const { connection } = session
    session.state = 'serving'
    session.isNew = false
    if (connection === undefined) return this.#detach(session)
    if (!connection.isGreeted) this.#welcome(connection, session)
    const held = session.held
    session.held = []
    for (const frame of held) this.#pass(session, frame)
  }

  /** A leader may say so of an end that is proposed, and die with it: what the client was told is made true. */
  #gone(session: HostedSession): void {
    const { connection } = session
    if (connection?.isGreeted === false) this.#refuse(connection)
    else if (connection !== undefined) this.#hangup(connection)
    this.#expire(session)
  }

  #welcome(connection: Connection, session: HostedSession): void {
    connection.isGreeted = true
    const response = writeConnectResponse({
      protocolVersion: 0,
      timeOut: session.timeoutMs,
      sessionId: session.id,
      passwd: this.#ports.passwordOf(session.id),
      readOnly: connection.withReadOnly ? session.isReadOnly : undefined,
    })
    this.#ports.write(connection.id, response)
  }

  /** The member knows less than the client, or has no room or no quorum: another may, or this one soon. */
  #notServed(session: HostedSession): void {
    const { connection, isNew } = session
    if (isNew) return this.#forget(session)
    if (connection !== undefined && connection.isGreeted) {
      session.state = 'unserved'
      this.#retryAt(this.#now + limits.memberRetryMs)
    } else if (connection !== undefined) this.#hangup(connection)
  }

  /**
   * The id is taken: most likely by our own asking, which came through though we heard that it did not. Then nobody will
   * ever come for that session, and it is ours to judge; were it one of an earlier life, its time is not shortened.
   */
  #renumber(session: HostedSession): void {
    const taken = this.#newSession(session.id, this.#config.maxSessionTimeoutMs, undefined)
    taken.hasStrayOpen = session.hasStrayOpen
    session.hasStrayOpen = false
    session.id = this.#mintId()
    this.#sessions.set(session.id, session)
    this.#attach(session)
  }

  #recovered(
    member: Sid,
    found: readonly { readonly session: bigint; readonly timeoutMs: number }[],
  ): void {
    this.#isRecovered = true
    this.#listAgainAtMs = this.#wasListedTwice
      ? Infinity
      : this.#now + this.#config.maxSessionTimeoutMs
    this.#alarmAtMs = Math.min(this.#alarmAtMs, this.#listAgainAtMs)
    for (const { session, timeoutMs } of found) {
      const id = asSessionId(session)
      if (!this.#sessions.has(id)) this.#newSession(id, timeoutMs, undefined).member = member
    }
  }

  /** A crash before the list is answered must find an alarm: only that makes the next life ask. */
  #recoveryAlarmMs(): number {
    const isAsking = !this.#isRecovered && this.#recoverFrom !== undefined
    const askingMs = isAsking ? this.#now + this.#config.maxSessionTimeoutMs : Infinity
    return Math.min(askingMs, this.#listAgainAtMs)
  }

  #listAgain(nowMs: number): void {
    this.#listAgainAtMs = Infinity
    this.#wasListedTwice = true
    this.#isRecovered = false
    this.recover(nowMs)
  }

  #lostMember(session: HostedSession): void {
    const { connection } = session
    // Whoever has a request under way cannot know its fate: ZooKeeper's clients expect to be disconnected then. Nor can
    // anyone tell afterwards what a watch that stays has missed: disconnected, its client knows that it must look. And
    // who was told that he may only read must hear when that is over.
    const mustKnow = session.outstanding > 0 || session.watches.hasStaying || session.isReadOnly
    const isCut = connection !== undefined && (!connection.survives || mustKnow)
    if (session.state === 'detached' || session.state === 'unserved') return
    if (session.state === 'opening') session.hasStrayOpen = true
    session.state = 'unserved'
    if (connection === undefined) session.state = 'detached'
    else if (isCut) this.#hangup(connection)
    else this.#retryAt(this.#now + limits.memberRetryMs)
  }

  #retry(session: HostedSession): void {
    if (session.state === 'unserved') this.#attach(session)
  }

  #judge(session: HostedSession): void {
    const { connection } = session
    if (connection !== undefined) {
      session.heardMs = Math.max(session.heardMs, this.#ports.pingedMs(connection.id))
    }
    const deadline = this.#deadlineOf(session)
    if (session.state === 'expiring') this.#retryExpiry(session)
    else if (deadline <= this.#now) this.#expire(session)
    else this.#alarmAtMs = Math.min(this.#alarmAtMs, deadline)
  }

  /** Rounded up to a tick, as ZooKeeper's expiry buckets are. */
  #deadlineOf(session: HostedSession): number {
    const { tickTimeMs } = this.#config
    return (Math.floor((session.heardMs + session.timeoutMs) / tickTimeMs) + 1) * tickTimeMs
  }

  #expire(session: HostedSession): void {
    if (session.isLocal && !session.mayBeGlobal) {
      if (session.connection === undefined) this.#detach(session)
      else this.#hangup(session.connection)
      return this.#forget(session)
    }
    const served = session.state === 'serving'
    if (session.state === 'opening') session.hasStrayOpen = true
    session.state = 'expiring'
    if (!served) session.member = this.#memberFor(undefined, session.member)
    this.#ports.up(session.member as Sid, { type: 'expire', session: session.id })
    this.#alarmAtMs = Math.min(this.#alarmAtMs, this.#now + this.#config.tickTimeMs)
  }

  #retryExpiry(session: HostedSession): void {
    session.member = this.#memberFor(undefined, session.member)
    this.#ports.up(session.member, { type: 'expire', session: session.id })
    this.#alarmAtMs = Math.min(this.#alarmAtMs, this.#now + this.#config.tickTimeMs)
  }

  /** No member could take the proposal. After a tick of that, clients had no ensemble to speak to: they get their time again. */
  #expiryFailed(session: HostedSession): void {
    session.failingSinceMs ??= this.#now
    if (this.#now - session.failingSinceMs > this.#config.tickTimeMs) {
      session.failingSinceMs = undefined
      session.heardMs = this.#now
      session.state = session.connection === undefined ? 'detached' : 'unserved'
      this.#alarmAtMs = Math.min(this.#alarmAtMs, this.#deadlineOf(session))
      if (session.connection !== undefined) this.#retryAt(this.#now + limits.memberRetryMs)
    } else {
      this.#alarmAtMs = Math.min(this.#alarmAtMs, this.#now + limits.memberRetryMs)
    }
  }

  #refuse(connection: Connection): void {
    this.#ports.write(connection.id, refusedConnectResponse(connection.withReadOnly))
    this.#hangup(connection)
  }

  #hangup(connection: Connection): void {
    this.#ports.hangup(connection.id)
    this.#forgetConnection(connection)
  }

  #forgetConnection(connection: Connection): void {
    this.#connections.delete(connection.id)
    this.#strangers.delete(connection)
    const { session } = connection
    if (session === undefined || session.connection !== connection) return
    // The last moment at which anybody can say when the platform answered its last ping.
    session.heardMs = Math.max(session.heardMs, this.#ports.pingedMs(connection.id))
    session.connection = undefined
    session.held = []
    this.#settleAccount(session)
    this.#detach(session)
    if (session.isReadOnly && session.isLocal) this.#forget(session)
  }

  #detach(session: HostedSession): void {
    const { member, slot, state } = session
    if (state === 'expiring') return
    if (state === 'opening') session.hasStrayOpen = true
    const isThere = state === 'serving' || state === 'opening' || state === 'resuming'
    if (member !== undefined && isThere) this.#ports.up(member, { type: 'drop', slot })
    session.state = 'detached'
    session.isNew = false
  }

  /** It is no more, unless a member still makes it anew of an old asking: then it must be ended once more. */
  #end(session: HostedSession | undefined): void {
    if (session === undefined) return
    this.#forget(session)
    if (session.hasStrayOpen) {
      this.#newSession(session.id, this.#config.maxSessionTimeoutMs, undefined)
    }
  }

  #forget(session: HostedSession | undefined): void {
    if (session === undefined) return
    this.#sessions.delete(session.id)
    this.#slots.delete(session.slot)
    const { connection } = session
    session.connection = undefined
    this.#settleAccount(session)
    if (connection === undefined) return
    connection.session = undefined
    this.#connections.delete(connection.id)
    this.#ports.hangup(connection.id)
  }

  #retryAt(atMs: number): void {
    this.#retryAtMs = Math.min(this.#retryAtMs, atMs)
  }
}

/** A local session that asked for one of these may own an ephemeral, and so be global. */
const creations: ReadonlySet<number> = new Set([
  opcodes.create.code,
  opcodes.create2.code,
  opcodes.multi.code,
])

const serialMask = BigInt(limits.sessionSerialMax)

/** Compares without telling by its duration where the difference is. */
function isEqual(given: Uint8Array | null, wanted: Uint8Array): boolean {
  if (given === null || given.length !== wanted.length) return false
  let difference = 0
  for (let at = 0; at < wanted.length; at++) {
    difference |= (given[at] as number) ^ (wanted[at] as number)
  }
  return difference === 0
}
