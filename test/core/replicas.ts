/** Three whole members in one thread, disks in memory, links that lose nothing; clients are edges that ask one by one. */
import { type Decoded, Writer } from '../../src/core/jute/codec.ts'
import { Replica, type ReplicaConfig, type ReplicaTurn } from '../../src/core/replica.ts'
import {
  type DownMessage,
  readDown,
  type UpMessage,
  writeUp,
} from '../../src/core/session/edge-messages.ts'
import { Random } from '../../src/core/shared/random.ts'
import { readSettings } from '../../src/core/shared/read-settings.ts'
import { asSid, type Sid, type Zxid } from '../../src/core/shared/units.ts'
import { checkpointZxidOf } from '../../src/core/tree/tree.ts'
import type { LinkId, PeerInput } from '../../src/core/turn.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import { type Operation, opcodes } from '../../src/core/wire/opcodes.ts'
import { readReply, writeRequest } from '../../src/core/wire/packets.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import type { Packet } from '../../src/core/zab/messages.ts'
import { readPackets, writePackets } from '../../src/core/zab/packet-codec.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { session } from './machine.ts'

const sids = [1, 2, 3].map(asSid)
const edge = 9
const noWatches = {
  dataWatches: [],
  existWatches: [],
  childWatches: [],
  persistentWatches: [],
  persistentRecursiveWatches: [],
}

interface Member {
  readonly sid: Sid
  replica: Replica
  store: MemoryStore
  /** Each end of a link: who is at the other, and under which number he knows it. */
  readonly links: Map<LinkId, { readonly peer: Sid; readonly theirs: LinkId }>
  /** It said that it serves our edge no longer. */
  isLost: boolean
  /** Turns whose log may be written late, and those whose may not. */
  readonly logged: { late: number; atOnce: number }
}

export class Replicas {
  readonly members: Member[]
  nowMs = 1000
  /** What the session actor was told of its sessions. */
  readonly told: DownMessage[] = []
  /** Does a packet arrive? */
  passes: (from: Sid, to: Sid, packet: Packet) => boolean = () => true
  readonly #newReplica: (sid: Sid, store: MemoryStore) => Replica
  #nextLink = 1
  readonly #queue: (() => void)[] = []
  readonly #replies = new Map<
    Sid,
    { readonly xid: number; readonly zxid: Zxid; readonly err: number }[]
  >()

  constructor(counterStart: number, proposeToQuorum = false) {
    const settings = readSettings({})
    const base: Omit<ReplicaConfig, 'sid'> = {
      first: firstConfiguration({ voters: sids, observers: [] }),
      tickTimeMs: 1000,
      initLimitTicks: 10,
      syncLimitTicks: 5,
      finalizeWaitMs: 0,
      proposeToQuorum,
      historyTxnsMax: 20,
      checkpoints: { snapCountTxns: 10, unwrittenNodesMax: 4, rowsAtOnceMax: 2, rowsAtLastMax: 3 },
      counterStart,
      rules: { ...settings, reconfigEnabled: false, standaloneEnabled: true, maxMembers: 3 },
      authentication: { superDigest: undefined, sha1: () => '', requiredSchemes: new Set() },
      containerCheckIntervalMs: 60_000,
      containerMaxPerMinute: 100,
      cacheBytes: 10_000_000,
    }
    this.#newReplica = (sid, store) =>
      new Replica({ ...base, sid }, store.restore(checkpointZxidOf(store)), store, new Random(sid))
    this.members = sids.map((sid) => {
      const store = new MemoryStore()
      const replica = this.#newReplica(sid, store)
      const logged = { late: 0, atOnce: 0 }
      return { sid, replica, store, links: new Map(), isLost: false, logged }
    })
    for (const member of this.members) {
      this.#queue.push(() => this.#perform(member, member.replica.start(this.nowMs)))
    }
    this.#drain()
  }

  get leader(): Member | undefined {
    return this.members.find(({ replica }) => replica.zab.role === 'leading' && replica.isServing)
  }

  /** Lets time go by until somebody leads. */
  elected(): Member {
    for (let tries = 0; tries <= 1000; tries++) {
      if (this.leader !== undefined) return this.leader
      this.run(10)
    }
    throw new Error('no ensemble')
  }

  run(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += 10
      for (const member of this.members) this.#input(member, { type: 'wake' })
      this.#drain()
    }
  }

  /** A session through a member, new or taken up again. False: nobody serves it there now. */
  attach(sid: number, id: number, isNew: boolean): boolean {
    const common = {
      slot: 1,
      session: session(id),
      timeoutMs: 60_000,
      address: 'test',
      lastZxid: 0,
      canBeReadOnly: false,
      identities: [],
    }
    if (isNew) this.#say(sid, [{ type: 'open', ...common }])
    else this.#say(sid, [{ type: 'resume', isLocal: false, ...noWatches, ...common }])
    return this.#isServed(sid)
  }

  /** The session's judge asks for its end. */
  expire(sid: number, id: number): void {
    this.#say(sid, [{ type: 'expire', session: session(id) }])
  }

  /** Asks and answers the replies that came of it; undefined if the member was lost before it answered. */
  ask<O extends Operation>(
    sid: number,
    xid: number,
    operation: O,
    body: Decoded<(typeof opcodes)[O]['request']>,
  ): { readonly zxid: Zxid; readonly err: number } | undefined {
    this.askMany(sid, [writeRequest(xid, operation, body).slice(4)])
    return this.repliesOf(sid).find((reply) => reply.xid === xid)
  }

  askMany(sid: number, frames: readonly Uint8Array[]): void {
    this.#say(
      sid,
      frames.map((frame) => ({ type: 'request', slot: 1, frame })),
    )
  }

  /** Since the last call. */
  repliesOf(
    sid: number,
  ): readonly { readonly xid: number; readonly zxid: Zxid; readonly err: number }[] {
    const replies = this.#replies.get(asSid(sid)) ?? []
    this.#replies.delete(asSid(sid))
    return replies
  }

  /** Its disk is lost: it comes back with nothing. */
  loseDisk(member: Member): void {
    member.store = new MemoryStore()
    member.replica = this.#newReplica(member.sid, member.store)
    for (const other of this.members) this.breakLink(other, member)
    this.#queue.push(() => this.#perform(member, member.replica.start(this.nowMs)))
    this.#drain()
  }

  /** Both ends hear that their link is gone, or what is left of it. */
  breakLink(from: Member, to: Member): void {
    for (const [link, { peer, theirs }] of from.links) {
      if (peer !== to.sid) continue
      from.links.delete(link)
      to.links.delete(theirs)
      this.#input(from, { type: 'unlinked', link, peer })
      this.#input(to, { type: 'unlinked', link: theirs, peer: from.sid })
    }
    this.#drain()
  }

  #isServed(sid: number): boolean {
    return !this.#member(asSid(sid)).isLost
  }

  #member(sid: Sid): Member {
    return this.members[sid - 1] as Member
  }

  #say(sid: number, messages: readonly UpMessage[]): void {
    const writer = new Writer()
    for (const message of messages) writeUp(writer, message)
    const member = this.#member(asSid(sid))
    member.isLost = false
    this.#queue.push(() =>
      this.#perform(member, member.replica.receiveEdge(this.nowMs, edge, writer.take())),
    )
    this.#drain()
  }

  #input(member: Member, input: PeerInput): void {
    this.#queue.push(() => this.#perform(member, member.replica.receive(this.nowMs, input)))
  }

  #drain(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next()
  }

  #perform(member: Member, turn: ReplicaTurn): void {
    const packets = new Map<LinkId, Packet[]>()
    for (const { link, packet } of turn.send)
      packets.set(link, [...(packets.get(link) ?? []), packet])
    for (const [link, sent] of packets) {
      const end = member.links.get(link)
      if (end === undefined) continue
      const message = writePackets(
        sent.filter((packet) => this.passes(member.sid, end.peer, packet)),
      )
      this.#toEnd(end, (theirs) => ({
        type: 'packets',
        link: theirs,
        packets: readPackets(message),
      }))
    }
    for (const { to, note } of turn.notes) this.#input(this.#member(to), { type: 'note', note })
    this.#hear(member, turn)
    if (turn.persist.length > 0) {
      member.logged[turn.canPersistLate ? 'late' : 'atOnce'] += 1
      member.store.write(turn.persist)
      this.#input(member, { type: 'persisted', number: turn.persist.at(-1)?.number ?? 0 })
    }
    for (const link of turn.disconnect) {
      const end = member.links.get(link)
      if (end === undefined) continue
      member.links.delete(link)
      this.#toEnd(end, (theirs) => {
        this.#member(end.peer).links.delete(theirs)
        return { type: 'unlinked', link: theirs, peer: member.sid }
      })
    }
    if (turn.connect !== undefined) this.#connect(member, this.#member(turn.connect))
    if (turn.due.type === 'earlyRows') {
      member.store.writeEarly(member.replica.earlyRows(turn.due.count))
    }
    if (turn.due.type === 'checkpoint') {
      member.store.writeCheckpoint(member.replica.checkpoint().rows)
      member.store.dropLog(member.replica.checkpointWritten())
    }
  }

  #hear(member: Member, turn: ReplicaTurn): void {
    for (const id of turn.edges) {
      for (const piece of member.replica.desk.takeOutput(id)) {
        for (const message of readDown(piece)) {
          if (message.type === 'attached' || message.type === 'expired') this.told.push(message)
          if (message.type !== 'frames') continue
          for (const frame of new Deframer(2 ** 24).push(message.frames ?? new Uint8Array())) {
            const { header } = readReply(frame)
            const known = this.#replies.get(member.sid)
            const reply = header as { xid: number; zxid: Zxid; err: number }
            if (known === undefined) this.#replies.set(member.sid, [reply])
            else known.push(reply)
          }
        }
      }
    }
    if (turn.lostEdges.length > 0) member.isLost = true
  }

  #toEnd(
    { peer, theirs }: { readonly peer: Sid; readonly theirs: LinkId },
    inputOf: (link: LinkId) => PeerInput,
  ): void {
    this.#queue.push(() => {
      const there = this.#member(peer)
      if (there.links.has(theirs)) {
        this.#perform(there, there.replica.receive(this.nowMs, inputOf(theirs)))
      }
    })
  }

  #connect(from: Member, to: Member): void {
    const [ours, theirs] = [this.#nextLink++, this.#nextLink++]
    from.links.set(ours, { peer: to.sid, theirs })
    to.links.set(theirs, { peer: from.sid, theirs: ours })
    this.#input(to, { type: 'linked', link: theirs, peer: from.sid, incoming: true })
    this.#input(from, { type: 'linked', link: ours, peer: to.sid, incoming: false })
  }
}
