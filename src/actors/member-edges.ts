/** A member's channels to session actors. An actor may come back with a new edge at any time: the old one is over then. */
import { RpcTarget } from 'cloudflare:workers'
import { Channel } from './channel.ts'

interface EdgeLink {
  readonly actor: string
  readonly channel: Channel
}

export interface EdgeOwner {
  /** Takes what an actor said. A throw ends the edge. */
  receive(edge: number, payload: Uint8Array): void
  owes(edge: number): boolean
  dropped(edge: number): void
  /** Calls the actor. */
  call(actor: string, edge: number, message: Uint8Array): Promise<Uint8Array>
}

/** A member's end of an edge, as an actor holds it. Neither hibernates while it does. */
export class EdgeTarget extends RpcTarget {
  readonly #exchange: (message: Uint8Array) => Promise<Uint8Array>

  constructor(exchange: (message: Uint8Array) => Promise<Uint8Array>) {
    super()
    this.#exchange = exchange
  }

  exchange(message: Uint8Array): Promise<Uint8Array> {
    return this.#exchange(message)
  }
}

export class MemberEdges {
  readonly #owner: EdgeOwner
  readonly #deadlineMs: number
  readonly #edges = new Map<number, EdgeLink>()
  readonly #ofActor = new Map<string, number>()

  constructor(owner: EdgeOwner, deadlineMs: number) {
    this.#owner = owner
    this.#deadlineMs = deadlineMs
  }

  get count(): number {
    return this.#edges.size
  }

  /** Takes a call of an actor. Rejects if the edge is not known here: the actor must begin a new one. */
  answer(actor: string, edge: number, message: Uint8Array): Promise<Uint8Array> {
    const link = this.#edges.get(edge) ?? this.#begin(actor, edge, message)
    if (link === undefined) return Promise.reject(new Error('the edge is not known here'))
    return link.channel.answer(message)
  }

  send(edge: number, payload: Uint8Array): void {
    this.#edges.get(edge)?.channel.send(payload)
  }

  /** The member serves this edge no longer. */
  close(edge: number, why: string): void {
    const link = this.#edges.get(edge)
    if (link === undefined) return
    this.#forget(edge, link)
    link.channel.close(why)
  }

  /** To be called at the end of a turn. */
  flush(): void {
    for (const { channel } of this.#edges.values()) channel.flush()
  }

  #begin(actor: string, edge: number, message: Uint8Array): EdgeLink | undefined {
    // Only a first message can begin an edge: any other belongs to one that an earlier life of ours had.
    if (message.length < 4 || message.subarray(0, 4).some((byte) => byte !== 0)) return undefined
    const before = this.#ofActor.get(actor)
    if (before !== undefined) {
      this.close(before, 'the actor began a new edge')
      this.#owner.dropped(before)
    }
    const link: EdgeLink = { actor, channel: this.#newChannel(actor, edge) }
    this.#edges.set(edge, link)
    this.#ofActor.set(actor, edge)
    return link
  }

  #newChannel(actor: string, edge: number): Channel {
    const ends = {
      call: (message: Uint8Array) => this.#owner.call(actor, edge, message),
      receive: (payload: Uint8Array) => this.#owner.receive(edge, payload),
      owes: () => this.#owner.owes(edge),
      lost: () => {
        const link = this.#edges.get(edge)
        if (link !== undefined) this.#forget(edge, link)
        this.#owner.dropped(edge)
      },
    }
    return new Channel(ends, this.#deadlineMs)
  }

  #forget(edge: number, { actor }: EdgeLink): void {
    this.#edges.delete(edge)
    if (this.#ofActor.get(actor) === edge) this.#ofActor.delete(actor)
  }
}
