/**
 * An ensemble in virtual time. Members run the real consensus; disks, links and notes are simulated, and what a crash
 * takes with it is what was not yet durable. The same world runs the golden traces, calmly, and the random tests.
 */
import { asZxid, type Sid, type Zxid } from '../../src/core/shared/units.ts'
import type { LinkId, PeerInput, Persist, Turn } from '../../src/core/turn.ts'
import type { Configuration } from '../../src/core/zab/configuration.ts'
import type { ZabConfig } from '../../src/core/zab/member.ts'
import type { Packet } from '../../src/core/zab/messages.ts'
import {
  readNotification,
  readPackets,
  writeNotification,
  writePackets,
} from '../../src/core/zab/packet-codec.ts'
import { Checkers } from './checkers.ts'
import { Clock } from './clock.ts'
import { batchOf, Disk } from './disk.ts'
import type { Network } from './network.ts'
import { type LinkEnd, Node } from './node.ts'

export class World {
  readonly clock = new Clock()
  readonly checkers: Checkers
  readonly disks = new Map<Sid, Disk>()
  readonly nodes = new Map<Sid, Node>()
  network: Network
  /** Whether members say what they mean; if not, nothing is promised but that nobody falls over. */
  isHonest = true
  /** Told of each turn before it is performed. */
  onTurn: (sid: Sid, turn: Turn) => void = () => {}
  readonly #config: Omit<ZabConfig, 'sid'>
  #txns = 0

  constructor(config: Omit<ZabConfig, 'sid'>, network: Network) {
    this.#config = config
    this.network = network
    this.checkers = new Checkers()
    for (const sid of config.first.sids) this.disks.set(sid, new Disk())
  }

  /** The first members, and whoever else has a disk. */
  get sids(): Sid[] {
    return [...this.disks.keys()]
  }

  disk(sid: Sid): Disk {
    const disk = this.disks.get(sid) ?? new Disk()
    this.disks.set(sid, disk)
    return disk
  }

  node(sid: Sid): Node | undefined {
    const node = this.nodes.get(sid)
    return node?.isAlive ? node : undefined
  }

  get leaders(): Node[] {
    return [...this.nodes.values()].filter(
      (node) => node.isAlive && node.member.phase.type === 'leading',
    )
  }

  start(sid: Sid): void {
    const node = new Node({ ...this.#config, sid }, this.disk(sid), sid)
    this.nodes.set(sid, node)
    this.#perform(node, node.start(this.clock.nowMs))
  }

  /** Memory and whatever is not durable are gone; peers notice by their links. */
  crash(sid: Sid): void {
    const node = this.node(sid)
    if (!node) return
    node.isAlive = false
    for (const end of node.links.values()) this.#close(end)
  }

  /** The disk of a member is found damaged when it starts again, unless too few would be left that know everything. */
  damage(sid: Sid): void {
    const { voters } = this.#config.first
    const whole = voters.filter((one) => one !== sid && !this.disk(one).mustRecover)
    if (whole.length * 2 <= voters.length) return
    this.crash(sid)
    this.disk(sid).damage()
  }

  /** Proposes so many txns at a leader. */
  propose(sid: Sid, count: number): Zxid | undefined {
    const node = this.node(sid)
    if (node?.member.phase.type !== 'leading') return undefined
    const first = asZxid(node.member.lastProposed + 1)
    const batch = batchOf(
      first,
      Array.from({ length: count }, () => `txn ${++this.#txns}`),
    )
    this.checkers.proposed(batch)
    this.#perform(node, node.propose(this.clock.nowMs, batch))
    return batch.last
  }

  /** Proposes other members at a leader; whether it may is the replica's to check. */
  reconfigure(sid: Sid, of: (version: Zxid) => Configuration): Zxid | undefined {
    const node = this.node(sid)
    if (node?.member.phase.type !== 'leading') return undefined
    const configuration = of(asZxid(node.member.lastProposed + 1))
    const batch = batchOf(configuration.version, [`txn ${++this.#txns}`], configuration)
    this.checkers.proposed(batch)
    this.#perform(node, node.propose(this.clock.nowMs, batch))
    return batch.last
  }

  /** Writes the tree as it is applied now, after what was written before, and lets the log before it go. */
  checkpoint(sid: Sid): void {
    const node = this.node(sid)
    if (!node || node.openSnapshots > 0 || node.isInstalling) return
    const { tree, applied } = node
    const base = node.member.history.forget(applied)
    this.#whenDurable(node, () => node.disk.checkpoint(tree, applied, base))
  }

  /** Breaks every link between two members. */
  breakLinks(a: Sid, b: Sid): void {
    for (const end of this.node(a)?.links.values() ?? []) {
      if (end.other?.node.sid === b) this.#break(end)
    }
  }

  input(sid: Sid, input: PeerInput): void {
    const node = this.node(sid)
    if (node) this.#take(node, input)
  }

  run(ms: number): void {
    this.clock.runUntil(this.clock.nowMs + ms)
  }

  #take(node: Node, input: PeerInput): void {
    if (node.isAlive) this.#perform(node, node.receive(this.clock.nowMs, input))
  }

  #perform(node: Node, turn: Turn): void {
    this.onTurn(node.sid, turn)
    node.apply(turn)
    if (this.isHonest) this.checkers.stepped(node, turn)
    this.#sendNotes(node, turn)
    this.#sendPackets(node, turn)
    this.#persist(node, turn.persist)
    for (const link of turn.disconnect) {
      const end = node.links.get(link)
      if (end) this.#close(end)
    }
    if (turn.connect !== undefined) this.#connect(node, turn.connect)
    this.#scheduleWake(node)
  }

  #scheduleWake(node: Node): void {
    const atMs = node.member.wakeAtMs
    if (atMs === node.wakeAtMs) return
    node.wakeAtMs = atMs
    this.clock.at(atMs, () => {
      if (node.wakeAtMs !== atMs) return
      node.wakeAtMs = Infinity
      this.#take(node, { type: 'wake' })
    })
  }

  #sendNotes(node: Node, turn: Turn): void {
    for (const { to, note } of turn.notes) {
      const bytes = writeNotification(this.network.forge(note))
      for (const delayMs of this.network.noteDelaysMs(node.sid, to, note)) {
        this.clock.after(delayMs, () =>
          this.input(to, { type: 'note', note: readNotification(bytes) }),
        )
      }
    }
  }

  #sendPackets(node: Node, turn: Turn): void {
    const perLink = new Map<LinkId, Packet[]>()
    for (const { link, packet } of turn.send) {
      perLink.set(link, [...(perLink.get(link) ?? []), packet])
    }
    for (const [link, packets] of perLink) {
      const end = node.links.get(link)
      const message = writePackets(packets.map((packet) => this.network.forgePacket(packet)))
      if (end?.isOpen)
        this.#send(end, (link) => ({ type: 'packets', link, packets: readPackets(message) }))
    }
  }

  /** Brings an input to the other end, after what was sent before. */
  #send(end: LinkEnd, inputOf: (link: LinkId) => PeerInput): void {
    const { other } = end
    if (!other) return
    const delayMs = this.network.linkDelayMs(end.node.sid, other.node.sid)
    if (delayMs === undefined) return this.#break(end)
    if (delayMs === Infinity) return // silence is not an end
    end.arrivesMs = Math.max(end.arrivesMs, this.clock.nowMs + delayMs)
    this.clock.at(end.arrivesMs, () => {
      if (other.isOpen) this.#take(other.node, inputOf(other.link))
    })
  }

  #connect(node: Node, peer: Sid): void {
    const { sid } = node
    const failed = (delayMs: number): void => {
      this.clock.after(delayMs, () => this.#take(node, { type: 'unlinked', link: 0, peer }))
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
      this.#take(there, linked(theirs.link, sid, true))
    })
  }

  #end(node: Node, incoming: boolean): LinkEnd {
    const link = node.nextLink++
    const end = { link, node, incoming, other: undefined, arrivesMs: 0, isOpen: true }
    node.links.set(link, end)
    return end
  }

  /** This end is closed; the other hears of it after everything that was sent before. */
  #close(end: LinkEnd): void {
    if (!end.isOpen) return
    end.isOpen = false
    end.node.links.delete(end.link)
    const { other } = end
    if (!other?.isOpen) return
    const delayMs = this.network.linkDelayMs(end.node.sid, other.node.sid) ?? 5
    this.clock.at(Math.max(end.arrivesMs, this.clock.nowMs + delayMs), () =>
      this.#hearClosed(other),
    )
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
    this.#take(end.node, { type: 'unlinked', link: end.link, peer })
  }

  #persist(node: Node, persists: readonly Persist[]): void {
    for (const persist of persists) {
      this.#whenDurable(node, () => {
        node.disk.write(persist)
        this.#report(node, persist.number)
      })
    }
  }

  /** What becomes durable at the same time is reported at once. */
  #report(node: Node, number: number): void {
    const isReported = node.durable > node.reported
    node.durable = number
    if (isReported) return
    this.clock.after(0, () => {
      node.reported = node.durable
      this.#take(node, { type: 'persisted', number: node.durable })
    })
  }

  /** Disks write in order. */
  #whenDurable(node: Node, write: () => void): void {
    node.durableMs = Math.max(node.durableMs, this.clock.nowMs + this.network.diskDelayMs(node.sid))
    this.clock.at(node.durableMs, () => {
      if (node.isAlive) write()
    })
  }
}
