/** A session actor's channels to members, one edge to each that it speaks to. */
import { Writer } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'
import { asSid, type Sid } from '../core/shared/units.ts'
import { type UpMessage, writeUp } from '../core/session/edge-messages.ts'
import { Channel } from './channel.ts'
import type { EdgeRow } from './session-store.ts'

/** What an actor holds of a member's end. */
export type HeldEnd = Disposable & {
  exchange(message: Uint8Array): Promise<Uint8Array>
}

interface Edge {
  readonly id: number
  readonly channel: Channel
  held: HeldEnd | undefined
  /** Messages of the turn under way. */
  readonly outbox: Writer
}

export interface SessionEdgeOwner {
  /** Calls the member. */
  call(member: Sid, edge: number, message: Uint8Array): Promise<Uint8Array>
  /** The member's end to hold, where this actor stays awake and the member is near. */
  hold(member: Sid, edge: number): HeldEnd | undefined
  /** Takes what a member said. A throw ends the edge. */
  receive(member: Sid, payload: Uint8Array): void
  /** The edge is no more; the next message begins a new one. */
  lost(member: Sid, why: string): void
}

export class SessionEdges {
  readonly #owner: SessionEdgeOwner
  readonly #deadlineMs: number
  readonly #edges = new Map<Sid, Edge>()

  constructor(owner: SessionEdgeOwner, deadlineMs: number) {
    this.#owner = owner
    this.#deadlineMs = deadlineMs
  }

  /** Takes up an edge that outlived our memory. */
  revive({ member, edge, nextOut, nextIn }: EdgeRow): void {
    this.#open(asSid(member), edge, { nextOut, nextIn })
  }

  send(member: Sid, message: UpMessage): void {
    const edge = this.#edges.get(member) ?? this.#open(member, newEdgeId())
    writeUp(edge.outbox, message)
    // One WebSocket message alone may hold 32 MiB of requests, more than a call can carry with what it adds.
    if (edge.outbox.at >= limits.linkMessageBytesMax) passOn(edge)
  }

  /** To be called at the end of a turn. */
  flush(): void {
    for (const edge of this.#edges.values()) {
      if (edge.outbox.at > 0) passOn(edge)
      edge.channel.flush()
    }
  }

  /** Takes a call of a member; the answer is what this actor has. Rejects if the edge is not known here. */
  answer(member: Sid, edge: number, message: Uint8Array): Promise<Uint8Array> {
    const known = this.#edges.get(member)
    if (known?.id !== edge) return Promise.reject(new Error('the edge is not known here'))
    return known.channel.answer(message)
  }

  /** Does the member still know our edge? */
  probe(member: Sid): void {
    this.#edges.get(member)?.channel.probe()
  }

  probeAll(): void {
    for (const { channel } of this.#edges.values()) channel.probe()
  }

  get areQuiet(): boolean {
    return [...this.#edges.values()].every(({ channel }) => channel.isQuiet)
  }

  /** What `revive` takes them up from. */
  get rows(): EdgeRow[] {
    return Array.from(this.#edges, ([member, { id, channel }]) => ({
      member,
      edge: id,
      ...channel.position,
    }))
  }

  /** This actor may sleep from now on. */
  letGo(): void {
    for (const edge of this.#edges.values()) release(edge)
  }

  rest(): void {
    for (const { channel } of this.#edges.values()) channel.rest()
  }

  #open(member: Sid, id: number, from?: { nextOut: number; nextIn: number }): Edge {
    const channel: Channel = new Channel(
      {
        call: (message) => {
          edge.held ??= this.#owner.hold(member, id)
          return edge.held?.exchange(message) ?? this.#owner.call(member, id, message)
        },
        receive: (payload) => this.#owner.receive(member, payload),
        owes: () => false,
        lost: (why) => {
          if (this.#edges.get(member) === edge) this.#edges.delete(member)
          release(edge)
          this.#owner.lost(member, why)
        },
      },
      this.#deadlineMs,
      from,
    )
    const edge: Edge = { id, channel, held: undefined, outbox: new Writer(4096) }
    this.#edges.set(member, edge)
    return edge
  }
}

function release(edge: Edge): void {
  edge.held?.[Symbol.dispose]()
  edge.held = undefined
}

function passOn({ channel, outbox }: Edge): void {
  channel.send(outbox.take())
  outbox.reset()
}

/** Edge ids are drawn, not counted: an actor that lost its memory must not repeat one. */
function newEdgeId(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2))
  return ((high ?? 0) & 0xfffff) * 0x1_0000_0000 + (low ?? 0)
}
