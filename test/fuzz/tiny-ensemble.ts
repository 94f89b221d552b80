/**
 * A whole ensemble in one thread: clients' bytes go through a session actor's mind into a member that leads alone, with
 * its disk in memory, and what is answered comes back to the clients.
 */
import { Writer } from '../../src/core/jute/codec.ts'
import { Replica, type ReplicaConfig, type ReplicaTurn } from '../../src/core/replica.ts'
import { type UpMessage, writeUp } from '../../src/core/session/edge-messages.ts'
import { Host } from '../../src/core/session/host/host.ts'
import { readSettings } from '../../src/core/shared/read-settings.ts'
import { Random } from '../../src/core/shared/random.ts'
import { asSid } from '../../src/core/shared/units.ts'
import { childOf } from '../../src/core/tree/path.ts'
import { checkpointZxidOf, type Tree } from '../../src/core/tree/tree.ts'
import { digestOf } from '../../src/core/tree/znode.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import { MemoryDisk, MemoryStore } from '../support/memory-store.ts'

const sid = asSid(1)
const hostEdge = 7
const cacheBytes = 60_000

const config: ReplicaConfig = {
  sid,
  first: firstConfiguration({ voters: [sid], observers: [asSid(2)] }),
  tickTimeMs: 1000,
  initLimitTicks: 10,
  syncLimitTicks: 5,
  finalizeWaitMs: 0,
  historyTxnsMax: 20,
  checkpoints: { snapCountTxns: 200, unwrittenNodesMax: 20, rowsAtOnceMax: 5, rowsAtLastMax: 2 },
  rules: {
    ...readSettings({}),
    enforceQuota: true,
    reconfigEnabled: true,
    standaloneEnabled: false,
    maxMembers: 2,
  },
  authentication: {
    superDigest: undefined,
    sha1: (bytes) => String(bytes.length),
    requiredSchemes: new Set(),
  },
  containerCheckIntervalMs: 3000,
  containerMaxPerMinute: 100,
  cacheBytes,
}

/** Told of everything a client hears. */
export interface Ear {
  heard(connection: number, frames: Uint8Array): void
  hungUp(connection: number): void
}

export class TinyEnsemble {
  readonly disk = new MemoryDisk()
  store = new MemoryStore(this.disk)
  replica: Replica
  readonly host: Host
  nowMs = 1_000_000
  readonly #ups = new Writer()

  constructor(ear: Ear) {
    this.replica = this.#restored()
    this.host = new Host(
      {
        home: sid,
        number: 1,
        members: [sid],
        tickTimeMs: 1000,
        minSessionTimeoutMs: 2000,
        maxSessionTimeoutMs: 20_000,
        sessionsMax: 100,
        outstandingLimit: 1000,
      },
      {
        write: (connection, frames) => ear.heard(connection, frames),
        hangup: (connection) => ear.hungUp(connection),
        up: (_, message: UpMessage) => writeUp(this.#ups, message),
        passwordOf: (session) => new Uint8Array(16).fill(Number(session & 0xffn)),
        pingedMs: () => 0,
      },
      this.nowMs,
    )
    this.#perform(this.replica.start(this.nowMs))
  }

  /** Frames of a client. */
  receive(connection: number, frames: readonly Uint8Array[]): void {
    this.host.receive(this.nowMs, connection, frames)
    this.settle()
  }

  /** Bytes of a session actor. Throws MalformedFrame where the edge would end. */
  receiveEdge(edge: number, message: Uint8Array): void {
    this.#perform(this.replica.receiveEdge(this.nowMs, edge, message))
    this.settle()
  }

  /** Time passes. */
  pass(ms: number): void {
    this.nowMs += ms
    if (this.nowMs >= Math.min(this.host.alarmAtMs, this.host.retryAtMs)) this.host.wake(this.nowMs)
    this.settle()
    this.#perform(this.replica.receive(this.nowMs, { type: 'wake' }))
    this.settle()
  }

  /** What the two have to say to each other, until both are silent. */
  settle(): void {
    while (this.#ups.at > 0) {
      const message = this.#ups.take()
      this.#ups.reset()
      this.#perform(this.replica.receiveEdge(this.nowMs, hostEdge, message))
    }
  }

  /** The member dies and comes back from its disk: it must be the same. */
  restart(): void {
    const digest = this.replica.tree.digest()
    this.replica = this.#restored()
    this.#perform(this.replica.start(this.nowMs))
    const now = this.replica.tree.digest()
    if (now !== digest) throw new Error(`digest ${digest} became ${now} in a restart`)
    this.host.memberLost(this.nowMs, sid)
    this.pass(300)
  }

  /** Laws of the tree that nothing may have broken. */
  check(): void {
    const { tree } = this.replica
    const seen = walk(tree)
    const digest = seen.digest.toString(16)
    if (tree.digest() !== digest) throw new Error(`digest ${tree.digest()}, recomputed ${digest}`)
    if (tree.nodeCount !== seen.nodes + 1) throw new Error(`${tree.nodeCount} nodes, ${seen.nodes}`)
    if (tree.dataBytes !== seen.bytes) throw new Error(`${tree.dataBytes} bytes, ${seen.bytes}`)
    if (tree.ephemeralCount !== seen.ephemerals) throw new Error('ephemerals are miscounted')
  }

  #restored(): Replica {
    this.store = new MemoryStore(this.disk)
    return new Replica(
      config,
      this.store.restore(checkpointZxidOf(this.store)),
      this.store,
      new Random(1),
    )
  }

  #perform(turn: ReplicaTurn): void {
    for (const edge of turn.edges) {
      for (const piece of this.replica.desk.takeOutput(edge)) {
        if (edge === hostEdge) this.host.receiveDown(this.nowMs, sid, piece)
      }
    }
    if (turn.lostEdges.includes(hostEdge)) this.host.memberLost(this.nowMs, sid)
    if (turn.due.type === 'earlyRows') {
      this.store.writeEarly(this.replica.earlyRows(turn.due.count))
    }
    if (turn.due.type === 'checkpoint') {
      this.store.writeCheckpoint(this.replica.checkpoint().rows)
      this.store.dropLog(this.replica.checkpointWritten())
    }
    if (turn.persist.length === 0) return
    this.store.write(turn.persist)
    const number = turn.persist.at(-1)?.number ?? 0
    this.#perform(this.replica.receive(this.nowMs, { type: 'persisted', number }))
  }
}

/** Everything a tree has, counted from its nodes. */
function walk(tree: Tree): { nodes: number; bytes: number; ephemerals: number; digest: bigint } {
  const seen = { nodes: 0, bytes: 0, ephemerals: 0, digest: 0n }
  const left = ['/']
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    const node = tree.get(path)
    if (node === undefined) throw new Error(`${path} is named and is not there`)
    const names = tree.children(path) ?? new Set()
    if (names.size !== node.childCount) throw new Error(`${path} has ${names.size} children`)
    seen.nodes += 1
    seen.bytes += path.length + (node.data?.length ?? 0)
    if (node.owner > 0n) seen.ephemerals += 1
    seen.digest = BigInt.asUintN(64, seen.digest + BigInt(digestOf(path, node)))
    for (const name of names) left.push(childOf(path, name))
  }
  return seen
}
