/**
 * A member's links to other members: one held RpcTarget at each end, the twin of ZooKeeper's LearnerHandler connection.
 * Both ends learn at once when the other is gone.
 */
import { RpcTarget } from 'cloudflare:workers'
import type { Sid } from '../core/shared/units.ts'
import type { LinkId, PeerInput } from '../core/turn.ts'
import type { Packet } from '../core/zab/messages.ts'
import { readPackets, writeMessages } from '../core/zab/packet-codec.ts'
import { Channel } from './channel.ts'
import { withDeadline } from './deadline.ts'

/** One end of a link, as the other end holds it. */
export interface LinkEnd {
  receive(message: Uint8Array): Promise<Uint8Array>
}

/** What the other member calls. Disposed when that member lets go, or dies. */
export class LinkTarget extends RpcTarget implements LinkEnd {
  readonly #channel: () => Channel | undefined
  readonly #gone: () => void

  constructor(channel: () => Channel | undefined, gone: () => void) {
    super()
    this.#channel = channel
    this.#gone = gone
  }

  receive(message: Uint8Array): Promise<Uint8Array> {
    const channel = this.#channel()
    return channel === undefined
      ? Promise.reject(new Error('the link does not stand yet'))
      : channel.answer(message)
  }

  [Symbol.dispose](): void {
    this.#gone()
  }
}

interface Link {
  readonly peer: Sid
  readonly channel: Channel
  /** Packets of the turn under way. */
  packets: Packet[]
  readonly release: () => void
}

export interface LinkOwner {
  receive(input: PeerInput): void
  /** Is something on its way to the disk that will make this member speak? */
  owes(): boolean
}

export class MemberLinks {
  readonly #owner: LinkOwner
  readonly #deadlineMs: number
  readonly #links = new Map<LinkId, Link>()
  #lastLink: LinkId = 0

  constructor(owner: LinkOwner, deadlineMs: number) {
    this.#owner = owner
    this.#deadlineMs = deadlineMs
  }

  /** A learner joins us: its end is given, ours is answered. */
  accept(peer: Sid, theirs: LinkEnd & Disposable): LinkTarget {
    const link = this.#nextLink()
    const target = new LinkTarget(
      () => this.#links.get(link)?.channel,
      () => this.#lost(link, 'the learner let go'),
    )
    this.#stand(link, peer, theirs)
    this.#owner.receive({ type: 'linked', link, peer, incoming: true })
    return target
  }

  /** Joins a leader. The input `linked` or `unlinked` tells how it went. */
  async connect(
    peer: Sid,
    join: (ours: LinkTarget) => Promise<LinkEnd & Disposable>,
  ): Promise<void> {
    const link = this.#nextLink()
    const ours = new LinkTarget(
      () => this.#links.get(link)?.channel,
      () => this.#lost(link, 'the leader let go'),
    )
    try {
      const theirs = await withDeadline(join(ours), this.#deadlineMs)
      this.#stand(link, peer, theirs)
    } catch {
      // Why a leader cannot be reached is the platform's matter; that it cannot is the election's.
      this.#owner.receive({ type: 'unlinked', link: 0, peer })
      return
    }
    this.#owner.receive({ type: 'linked', link, peer, incoming: false })
  }

  send(id: LinkId, packet: Packet): void {
    this.#links.get(id)?.packets.push(packet)
  }

  disconnect(id: LinkId): void {
    const link = this.#links.get(id)
    if (link === undefined) return
    this.#links.delete(id)
    link.channel.close('the link was given up')
    link.release()
  }

  /** To be called at the end of a turn. */
  flush(): void {
    for (const link of this.#links.values()) {
      if (link.packets.length > 0) {
        const packets = link.packets
        link.packets = []
        for (const message of writeMessages(packets)) link.channel.send(message)
      }
      link.channel.flush()
    }
  }

  #stand(link: LinkId, peer: Sid, theirs: LinkEnd & Disposable): void {
    const channel = new Channel(
      {
        call: (message) => theirs.receive(message),
        receive: (payload) =>
          this.#owner.receive({ type: 'packets', link, packets: readPackets(payload) }),
        owes: () => this.#owner.owes(),
        lost: (why) => this.#lost(link, why),
      },
      this.#deadlineMs,
    )
    this.#links.set(link, { peer, channel, packets: [], release: () => theirs[Symbol.dispose]() })
  }

  #lost(id: LinkId, why: string): void {
    const link = this.#links.get(id)
    if (link === undefined) return
    this.#links.delete(id)
    link.channel.close(why)
    link.release()
    this.#owner.receive({ type: 'unlinked', link: id, peer: link.peer })
  }

  #nextLink(): LinkId {
    this.#lastLink += 1
    return this.#lastLink
  }
}
