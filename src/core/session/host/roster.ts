/** Who is here: the connections of a host, the sessions it holds, and the ids and slots it gives them. */
import { limits } from '../../shared/limits.ts'
import { asSessionId, type SessionId } from '../../shared/units.ts'
import type { HostConfig } from './host-ports.ts'
import { type Connection, HostedSession } from './hosted.ts'

/** A client as its actor announces it. */
export type NewClient = Pick<Connection, 'id' | 'pinned' | 'survives' | 'address' | 'identities'>

export class Roster {
  /** What all ids of this actor begin with: its home member and its number there. */
  readonly #idPrefix: bigint
  readonly #connections = new Map<number, Connection>()
  /** Connections whose clients have not said who they are, the oldest first. */
  readonly #strangers = new Set<Connection>()
  readonly #sessions = new Map<SessionId, HostedSession>()
  readonly #slots = new Map<number, HostedSession>()
  #lastSlot: number
  #lastSerial: bigint

  constructor({ home, number }: Pick<HostConfig, 'home' | 'number'>, nowMs: number) {
    this.#idPrefix = (BigInt(home) << 56n) | (BigInt(number) << 40n)
    // Time goes on while the actor is away, and no actor opens a thousand sessions a second for long: serials do not
    // come twice. If one ever does, the leader says that the id is taken.
    this.#lastSerial = BigInt(nowMs) & serialMask
    // Nor do slots: an actor that hibernated may still hear of one that it had, and has forgotten whose it was.
    this.#lastSlot = Number(BigInt(nowMs) & firstSlotMask)
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  get strangerCount(): number {
    return this.#strangers.size
  }

  sessions(): IterableIterator<HostedSession> {
    return this.#sessions.values()
  }

  /** The oldest first. */
  strangers(): IterableIterator<Connection> {
    return this.#strangers.values()
  }

  connection(id: number): Connection | undefined {
    return this.#connections.get(id)
  }

  session(id: SessionId): HostedSession | undefined {
    return this.#sessions.get(id)
  }

  sessionAt(slot: number): HostedSession | undefined {
    return this.#slots.get(slot)
  }

  /** A stranger, until its session is added. */
  addConnection(nowMs: number, client: NewClient): Connection {
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

  removeConnection(connection: Connection): void {
    this.#connections.delete(connection.id)
    this.#strangers.delete(connection)
  }

  addSession(
    nowMs: number,
    id: SessionId,
    timeoutMs: number,
    connection: Connection | undefined,
    slot = this.#lastSlot + 1,
  ): HostedSession {
    const session = new HostedSession(id, slot, timeoutMs, nowMs, connection)
    this.#lastSlot = Math.max(this.#lastSlot + 1, slot)
    if (connection !== undefined) {
      connection.session = session
      this.#strangers.delete(connection)
    }
    this.#sessions.set(id, session)
    this.#slots.set(slot, session)
    return session
  }

  /** What is still said of the slot concerns nobody: another session takes the id of this one. */
  freeSlot({ slot }: HostedSession): void {
    this.#slots.delete(slot)
  }

  /** The session goes by another id from now on. */
  renumber(session: HostedSession): void {
    session.id = this.mintId()
    this.#sessions.set(session.id, session)
  }

  removeSession(session: HostedSession): void {
    this.#sessions.delete(session.id)
    this.#slots.delete(session.slot)
  }

  /** The next id of this actor. */
  mintId(): SessionId {
    this.#lastSerial = (this.#lastSerial + 1n) & serialMask
    return asSessionId(BigInt.asIntN(64, this.#idPrefix | this.#lastSerial))
  }

  /** The ids that this actor can have given. */
  get idRange(): { readonly idsFrom: bigint; readonly idsTo: bigint } {
    return {
      idsFrom: BigInt.asIntN(64, this.#idPrefix),
      idsTo: BigInt.asIntN(64, this.#idPrefix | serialMask),
    }
  }
}

const firstSlotMask = 0x3fff_ffffn
const serialMask = BigInt(limits.sessionSerialMax)
