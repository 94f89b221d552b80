/**
 * What becomes of a hosted session: which member is asked to serve it, what its verdict means, and when and how the
 * session ends. The states are those of `HostedSession`; nothing else moves a session from one to another.
 */
import { limits } from '../../shared/limits.ts'
import type { SessionId, Sid } from '../../shared/units.ts'
import { refusedConnectResponse, writeConnectResponse } from '../../wire/packets.ts'
import { verdicts } from '../edge-messages.ts'
import type { HostConfig, HostPorts } from './host-ports.ts'
import type { Connection, HostedSession } from './hosted.ts'
import type { MemberRing } from './member-ring.ts'
import type { Relay } from './relay.ts'
import type { Roster } from './roster.ts'
import type { Schedule } from './schedule.ts'

export class Lifecycle {
  readonly #config: HostConfig
  readonly #ports: HostPorts
  readonly #schedule: Schedule
  readonly #members: MemberRing
  readonly #roster: Roster
  readonly #relay: Relay

  constructor(
    config: HostConfig,
    ports: HostPorts,
    schedule: Schedule,
    members: MemberRing,
    roster: Roster,
    relay: Relay,
  ) {
    this.#config = config
    this.#ports = ports
    this.#schedule = schedule
    this.#members = members
    this.#roster = roster
    this.#relay = relay
  }

  /** A session that nobody serves yet; from now on its time runs. */
  begin(
    id: SessionId,
    timeoutMs: number,
    connection: Connection | undefined,
    slot?: number,
  ): HostedSession {
    const session = this.#roster.addSession(this.#schedule.nowMs, id, timeoutMs, connection, slot)
    this.awaitDeadline(session)
    return session
  }

  /** An alarm must come when its time is over. */
  awaitDeadline(session: HostedSession): void {
    this.#schedule.alarmBy(session.deadlineMs(this.#config.tickTimeMs))
  }

  /** Asks a member to serve the session: the one its client asked for; else home first, and after a failure the next one. */
  attach(session: HostedSession): void {
    // What was asked for may come true after the end of what is asked for now: that must be another session.
    if (session.isNew && session.hasStrayOpen) return this.#renumber(session)
    const member = session.connection?.pinned ?? this.#members.after(session.member)
    session.member = member
    session.state = session.isNew ? 'opening' : 'resuming'
    if (session.isNew) this.#askToOpen(session, member)
    else this.#askToResume(session, member)
  }

  #askToOpen(session: HostedSession, member: Sid): void {
    const { slot, id, timeoutMs, lastZxid, identities } = session
    const address = session.connection?.address ?? ''
    const canBeReadOnly = session.connection?.canBeReadOnly === true
    const asked = { slot, session: id, timeoutMs, address, lastZxid, identities, canBeReadOnly }
    this.#ports.up(member, { type: 'open', ...asked })
  }

  #askToResume(session: HostedSession, member: Sid): void {
    const { slot, id, timeoutMs, lastZxid, identities, isLocal } = session
    const address = session.connection?.address ?? ''
    const canBeReadOnly = session.connection?.canBeReadOnly === true
    for (const [at, part] of session.watches.parts(limits.watchPathBytesMax).entries()) {
      if (at > 0) this.#ports.up(member, { type: 'rearm', slot, lastZxid, ...part })
      else {
        const resumed = { slot, session: id, timeoutMs, address, lastZxid, identities }
        const how = { canBeReadOnly, isLocal }
        this.#ports.up(member, { type: 'resume', ...resumed, ...how, ...part })
      }
    }
  }

  /** What the member answers that was asked to serve it. */
  attached(session: HostedSession | undefined, verdict: number): void {
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
    this.#relay.release(session)
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

  /**
   * The id is taken, or may yet be by an asking of ours that was not heard again. Nobody will ever come for that session,
   * and it is ours to judge; were it one of an earlier life, its time is not shortened.
   */
  #renumber(session: HostedSession): void {
    const taken = this.begin(session.id, this.#config.maxSessionTimeoutMs, undefined)
    taken.hasStrayOpen = session.hasStrayOpen
    session.hasStrayOpen = false
    this.#roster.renumber(session)
    this.attach(session)
  }

  /** A quorum says so. Its end is asked for all the same: an open that went astray may still begin it. */
  #gone(session: HostedSession): void {
    const { connection } = session
    if (connection?.isGreeted === false) this.refuse(connection)
    else if (connection !== undefined) this.hangup(connection)
    this.#expire(session)
  }

  /** The member knows less than the client, or has no room or no quorum: another may, or this one soon. */
  #notServed(session: HostedSession): void {
    const { connection, isNew } = session
    if (isNew) return this.#forget(session)
    if (connection !== undefined && connection.isGreeted) {
      session.state = 'unserved'
      this.#retrySoon()
    } else if (connection !== undefined) this.hangup(connection)
  }

  /** Its member is not there or does not serve: the session looks for another, or its client does. */
  lostMember(session: HostedSession): void {
    if (session.state === 'expiring') return this.#expiryFailed(session)
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
    else if (isCut) this.hangup(connection)
    else this.#retrySoon()
  }

  /** Time passed: is the client alive? */
  judge(session: HostedSession): void {
    this.#hearPing(session)
    if (session.state === 'expiring') this.#retryExpiry(session)
    else if (session.deadlineMs(this.#config.tickTimeMs) <= this.#schedule.nowMs) {
      this.#expire(session)
    } else this.awaitDeadline(session)
  }

  #expire(session: HostedSession): void {
    if (session.isLocal && !session.mayBeGlobal) {
      if (session.connection === undefined) this.#detach(session)
      else this.hangup(session.connection)
      return this.#forget(session)
    }
    const served = session.state === 'serving'
    if (session.state === 'opening') session.hasStrayOpen = true
    session.state = 'expiring'
    if (!served) session.member = this.#members.after(session.member)
    this.#proposeEnd(session, session.member as Sid)
  }

  #retryExpiry(session: HostedSession): void {
    const member = this.#members.after(session.member)
    session.member = member
    this.#proposeEnd(session, member)
  }

  #proposeEnd(session: HostedSession, member: Sid): void {
    this.#ports.up(member, { type: 'expire', session: session.id })
    this.#schedule.alarmBy(this.#schedule.nowMs + this.#config.tickTimeMs)
  }

  /** No member could take the proposal. After a tick of that, clients had no ensemble to speak to: they get their time again. */
  #expiryFailed(session: HostedSession): void {
    const { nowMs } = this.#schedule
    session.failingSinceMs ??= nowMs
    if (nowMs - session.failingSinceMs > this.#config.tickTimeMs) {
      session.failingSinceMs = undefined
      session.heardMs = nowMs
      session.state = session.connection === undefined ? 'detached' : 'unserved'
      this.awaitDeadline(session)
      if (session.connection !== undefined) this.#retrySoon()
    } else {
      this.#schedule.alarmBy(nowMs + limits.memberRetryMs)
    }
  }

  /** The ConnectRequest is answered that there is no such session. */
  refuse(connection: Connection): void {
    this.#ports.write(connection.id, refusedConnectResponse(connection.withReadOnly))
    this.hangup(connection)
  }

  hangup(connection: Connection): void {
    this.#ports.hangup(connection.id)
    this.disconnected(connection)
  }

  /** The connection is no more; its session lives on until its time is over. */
  disconnected(connection: Connection): void {
    this.#roster.removeConnection(connection)
    const { session } = connection
    if (session === undefined || session.connection !== connection) return
    // The last moment at which anybody can say when the platform answered its last ping.
    this.#hearPing(session)
    session.connection = undefined
    session.held = []
    this.#relay.settle(session)
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
  ended(session: HostedSession | undefined): void {
    if (session === undefined) return
    this.#forget(session)
    if (session.hasStrayOpen) {
      this.begin(session.id, this.#config.maxSessionTimeoutMs, undefined)
    }
  }

  #forget(session: HostedSession): void {
    this.#roster.removeSession(session)
    const { connection } = session
    session.connection = undefined
    this.#relay.settle(session)
    if (connection === undefined) return
    connection.session = undefined
    this.#roster.removeConnection(connection)
    this.#ports.hangup(connection.id)
  }

  #hearPing(session: HostedSession): void {
    const { connection } = session
    if (connection === undefined) return
    session.heardMs = Math.max(session.heardMs, this.#ports.pingedMs(connection.id))
  }

  #retrySoon(): void {
    this.#schedule.retryBy(this.#schedule.nowMs + limits.memberRetryMs)
  }
}
