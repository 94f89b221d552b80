/** The session actors that speak to this member, and which of their sessions it serves. */
import type { SessionId, Sid } from '../../shared/units.ts'
import type { Admission } from './admission.ts'
import type { Attachment, Edge } from './attachment.ts'
import { EdgeOutbox } from './edge-outbox.ts'
import type { WatchBell } from './watch-bell.ts'

/** One client as `stat` lists it. */
export interface ClientLine {
  readonly address: string
  readonly session: SessionId
  readonly queued: number
  readonly received: number
  readonly sent: number
}

export class Edges {
  readonly #admission: Admission
  readonly #bell: WatchBell
  readonly #edges = new Map<number, Edge>()
  readonly #attached = new Map<SessionId, Attachment>()
  /** Undefined: the first ones still, whom every actor knows. */
  #members: readonly Sid[] | undefined

  constructor(admission: Admission, bell: WatchBell) {
    this.#admission = admission
    this.#bell = bell
  }

  get attachedCount(): number {
    return this.#attached.size
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

  clients(): ClientLine[] {
    return Array.from(this.#attached.values(), ({ address, session, queue, received, sent }) => ({
      address,
      session,
      queued: queue.length,
      received,
      sent,
    }))
  }

  /** Does the member owe this actor an answer? */
  owes(edge: number): boolean {
    return (this.#edges.get(edge)?.owed ?? 0) > 0
  }

  takeOutput(edge: number): readonly Uint8Array[] {
    return this.#edges.get(edge)?.outbox.take() ?? []
  }

  *withOutput(): Generator<number> {
    for (const edge of this.#edges.values()) if (!edge.outbox.isEmpty) yield edge.id
  }

  /** An actor that was not heard before begins here. */
  edge(id: number): Edge {
    const known = this.#edges.get(id)
    if (known !== undefined) return known
    const edge = { id, outbox: new EdgeOutbox(), slots: new Map(), owed: 0 }
    this.#edges.set(id, edge)
    if (this.#members) edge.outbox.send({ type: 'members', sids: this.#members })
    return edge
  }

  tellMembers(sids: readonly Sid[]): void {
    this.#members = sids
    for (const { outbox } of this.#edges.values()) outbox.send({ type: 'members', sids })
  }

  /** The actor is gone or begins anew: its attachments are dropped, its sessions live. */
  drop(id: number): void {
    const edge = this.#edges.get(id)
    if (edge === undefined) return
    for (const attachment of edge.slots.values()) this.detach(attachment)
    this.#edges.delete(id)
  }

  /** Answers the edges that were. */
  dropAll(): number[] {
    const dropped = [...this.#edges.keys()]
    for (const edge of dropped) this.drop(edge)
    return dropped
  }

  /** What was attached for this session, or at this slot, is so no longer. */
  makeWay(edge: Edge, session: SessionId, slot: number): void {
    const before = this.#attached.get(session)
    if (before !== undefined) this.detach(before)
    const there = edge.slots.get(slot)
    if (there !== undefined) this.detach(there)
  }

  /** May a client of this address come in? If so it counts until it is detached. */
  admit(address: string): boolean {
    return this.#admission.admit(address)
  }

  /** An admitted client is served from now on. */
  attach(attachment: Attachment): void {
    attachment.edge.slots.set(attachment.slot, attachment)
    this.#attached.set(attachment.session, attachment)
  }

  detach(attachment: Attachment): void {
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

  /** Closes the client's connection; its session lives. */
  hangup(attachment: Attachment): void {
    attachment.edge.outbox.send({ type: 'hangup', slot: attachment.slot })
    this.detach(attachment)
  }

  /** The session is no more. */
  end(session: SessionId): void {
    const attachment = this.#attached.get(session)
    if (attachment === undefined) return
    attachment.edge.outbox.send({ type: 'ended', slot: attachment.slot })
    this.detach(attachment)
  }
}
