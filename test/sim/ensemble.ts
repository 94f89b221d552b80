/**
 * Members in virtual time: their links, notes, timers and disks. What a member is made of is its node's affair: the
 * consensus alone (world.ts) or the whole replica (system.ts).
 */
import type { Sid } from '../../src/core/shared/units.ts'
import type { LinkId, PeerInput, Persist, Turn } from '../../src/core/turn.ts'
import type { Packet } from '../../src/core/zab/messages.ts'
import {
  readNotification,
  readPackets,
  writeNotification,
  writePackets,
} from '../../src/core/zab/packet-codec.ts'
import { Clock } from './clock.ts'
import type { Network } from './network.ts'
import type { LinkEnd, Node } from './node.ts'

export abstract class Ensemble<N extends Node> {
  readonly clock = new Clock()
  readonly nodes = new Map<Sid, N>()
  network: Network

  constructor(network: Network) {
    this.network = network
  }

  abstract get sids(): Sid[]

  node(sid: Sid): N | undefined {
    const node = this.nodes.get(sid)
    return node?.isAlive ? node : undefined
  }

  get leaders(): N[] {
    return [...this.nodes.values()].filter(
      (node) => node.isAlive && node.member.phase.type === 'leading',
    )
  }

  /** Memory and whatever is not durable are gone; peers notice by their links. */
  crash(sid: Sid): void {
    const node = this.node(sid)
    if (!node) return
    node.isAlive = false
    node.diedMs = this.clock.nowMs
    for (const end of node.links.values()) this.close(end)
  }

  /** Breaks every link between two members. */
  breakLinks(a: Sid, b: Sid): void {
    for (const end of this.node(a)?.links.values() ?? []) {
      if (end.other?.node.sid === b) this.#break(end)
    }
  }

  /** Others hear that their links to this one are gone; it does not, and speaks to nobody. */
  breakFarEnds(sid: Sid, others: ReadonlySet<number>): void {
    for (const end of this.node(sid)?.links.values() ?? []) {
      const { other } = end
      if (other === undefined || !others.has(other.node.sid)) continue
      end.isMute = true
      this.clock.after(1, () => this.#hearClosed(other))
    }
  }

  input(sid: Sid, input: PeerInput): void {
    const node = this.node(sid)
    if (node) this.take(node, input)
  }

  run(ms: number): void {
    this.clock.runUntil(this.clock.nowMs + ms)
  }

  /** Does what a turn asks, in the order of the shell. */
  protected abstract perform(node: N, turn: Turn): void

  /** What the member's own clock shows. */
  protected timeOf(_node: N): number {
    return this.clock.nowMs
  }

  /** When what the member says now leaves it. */
  protected departureMs(_node: N): number {
    return this.clock.nowMs
  }

  protected begin(node: N): void {
    this.nodes.set(node.sid, node)
    this.perform(node, node.start(this.timeOf(node)))
  }

  protected take(node: N, input: PeerInput): void {
    if (node.isAlive) this.perform(node, node.receive(this.timeOf(node), input))
  }

  protected sendNotes(node: N, turn: Turn): void {
    const departureMs = this.departureMs(node)
    for (const { to, note } of turn.notes) {
      const bytes = writeNotification(this.network.forge(note))
      for (const delayMs of this.network.noteDelaysMs(node.sid, to, note)) {
        this.clock.at(departureMs + delayMs, () => {
          if (node.diedMs >= departureMs)
            this.input(to, { type: 'note', note: readNotification(bytes) })
        })
      }
    }
  }

  protected sendPackets(node: N, turn: Turn): void {
    if (turn.send.length === 0) return
    const perLink = new Map<LinkId, Packet[]>()
    for (const { link, packet } of turn.send) {
      const packets = perLink.get(link)
      if (packets) packets.push(packet)
      else perLink.set(link, [packet])
    }
    for (const [link, packets] of perLink) {
      const end = node.links.get(link)
      const message = writePackets(packets.map((packet) => this.network.forgePacket(packet)))
      if (end?.isOpen)
        this.#send(end, (link) => ({ type: 'packets', link, packets: readPackets(message) }))
    }
  }

  protected disconnect(node: N, turn: Turn): void {
    for (const link of turn.disconnect) {
      const end = node.links.get(link)
      if (end) this.close(end)
    }
  }

  protected connect(node: N, peer: Sid): void {
    const { sid } = node
    const failed = (delayMs: number): void => {
      this.clock.after(delayMs, () => this.take(node, { type: 'unlinked', link: 0, peer }))
    }
    const delayMs = this.network.connectDelayMs(sid, peer)
    if (delayMs === undefined) return failed(2)
    this.clock.after(delayMs, () => {
      const there = this.node(peer)
      if (!there || !node.isAlive) return failed(1)
      const theirs = this.#end(there, true)
      const ours = this.#end(node, false)
      theirs.other = ours
      ours.other = theirs
      const linked = (link: LinkId, of: Sid, incoming: boolean): PeerInput => ({
        type: 'linked',
        link,
        peer: of,
        incoming,
      })
      this.#send(theirs, (link) => linked(link, peer, false))
      this.take(there, linked(theirs.link, sid, true))
    })
  }

  /** This end is closed; the other hears of it after everything that was sent before. */
  protected close(end: LinkEnd): void {
    if (!end.isOpen) return
    end.isOpen = false
    end.node.links.delete(end.link)
    const { other } = end
    if (!other?.isOpen || end.isMute) return
    const delayMs = this.network.linkDelayMs(end.node.sid, other.node.sid) ?? 5
    this.clock.at(Math.max(end.arrivesMs, this.clock.nowMs + delayMs), () =>
      this.#hearClosed(other),
    )
  }

  protected persist(node: N, persists: readonly Persist[]): void {
    for (const persist of persists) {
      const harden = node.write(persist)
      this.whenDurable(node, () => {
        harden()
        this.#report(node, persist.number)
      })
    }
  }

  /** Disks write in order; what was not durable when its member died never is. */
  protected whenDurable(node: N, write: () => void): void {
    const delayMs = this.network.diskDelayMs(node.sid)
    node.durableMs = Math.max(node.durableMs, this.clock.nowMs + delayMs)
    this.clock.at(node.durableMs, () => {
      if (node.isAlive) write()
    })
  }

  /** Brings an input to the other end, after what was sent before. */
  #send(end: LinkEnd, inputOf: (link: LinkId) => PeerInput): void {
    const { other } = end
    if (!other || end.isMute) return
    const delayMs = this.network.linkDelayMs(end.node.sid, other.node.sid)
    if (delayMs === undefined) return this.#break(end)
    // Silence is not an end.
    if (delayMs === Infinity) end.isMute = true
    if (end.isMute) return
    const departureMs = this.departureMs(end.node as N)
    end.arrivesMs = Math.max(end.arrivesMs, departureMs + delayMs)
    this.clock.at(end.arrivesMs, () => {
      const hasLeft = end.node.diedMs >= departureMs
      if (other.isOpen && hasLeft) this.take(other.node as N, inputOf(other.link))
    })
  }

  #end(node: N, incoming: boolean): LinkEnd {
    const link = node.nextLink++
    const end = {
      link,
      node,
      incoming,
      other: undefined,
      arrivesMs: 0,
      isOpen: true,
      isMute: false,
    }
    node.links.set(link, end)
    return end
  }

  /** The link is gone for both, with what was on its way. */
  #break(end: LinkEnd): void {
    const { other } = end
    this.clock.after(1, () => this.#hearClosed(end))
    if (other) this.clock.after(1, () => this.#hearClosed(other))
  }

  #hearClosed(end: LinkEnd): void {
    if (!end.isOpen) return
    end.isOpen = false
    end.node.links.delete(end.link)
    const peer = end.other?.node.sid as Sid
    this.take(end.node as N, { type: 'unlinked', link: end.link, peer })
  }

  /** What becomes durable at the same time is reported at once. */
  #report(node: N, number: number): void {
    const isReported = node.durable > node.reported
    node.durable = number
    if (isReported) return
    this.clock.after(0, () => {
      node.reported = node.durable
      this.take(node, { type: 'persisted', number: node.durable })
    })
  }
}
