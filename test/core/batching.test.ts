/** How a leader makes batches of what comes: a member that is alone, whose disk answers when the test says so. */
import { beforeEach, expect, test } from 'vitest'
import { Writer } from '../../src/core/jute/codec.ts'
import { Replica, type ReplicaTurn } from '../../src/core/replica.ts'
import { type UpMessage, writeUp } from '../../src/core/session/edge-messages.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { Random } from '../../src/core/shared/random.ts'
import { readSettings } from '../../src/core/shared/read-settings.ts'
import { asSid } from '../../src/core/shared/units.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { checkpointZxidOf } from '../../src/core/tree/tree.ts'
import { writeRequest } from '../../src/core/wire/packets.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import { MemoryStore } from '../support/memory-store.ts'

const sid = asSid(1)
const edge = 1
let nowMs: number
let replica: Replica
/** Persists that are on their way to the disk: their number, and the txns of each of their batches. */
let underWay: { readonly number: number; readonly batches: readonly number[] }[]
let nodes: number

beforeEach(() => {
  nowMs = 1000
  underWay = []
  nodes = 0
  const store = new MemoryStore()
  const settings = readSettings({ MEMBERS: '1' })
  replica = new Replica(
    {
      sid,
      first: firstConfiguration({ voters: [sid], observers: [] }),
      tickTimeMs: 1000,
      initLimitTicks: 10,
      syncLimitTicks: 5,
      finalizeWaitMs: 0,
      historyTxnsMax: 1000,
      checkpoints: { ...limits, snapCountTxns: 1_000_000 },
      rules: { ...settings, maxMembers: 1 },
      authentication: { superDigest: undefined, sha1: () => '', requiredSchemes: new Set() },
      containerCheckIntervalMs: 60_000,
      containerMaxPerMinute: 100,
      cacheBytes: 10_000_000,
    },
    store.restore(checkpointZxidOf(store)),
    store,
    new Random(1),
  )
  take(replica.start(nowMs))
  for (let wakes = 0; !replica.isServing; wakes++) {
    if (wakes > 1000) throw new Error('it does not serve')
    if (underWay.length > 0) persisted()
    else take(replica.receive((nowMs += 10), { type: 'wake' }))
  }
  say({
    type: 'open',
    slot: 1,
    session: 1n << 56n,
    timeoutMs: 10_000,
    address: '127.0.0.1:1',
    lastZxid: 0,
    identities: [],
    canBeReadOnly: false,
  })
  while (underWay.length > 0) persisted()
})

function take(turn: ReplicaTurn): void {
  for (const { number, append } of turn.persist) {
    underWay.push({ number, batches: (append ?? []).map(({ count }) => count) })
  }
  for (const one of turn.edges) replica.desk.takeOutput(one)
}

function persisted(): void {
  const first = underWay.shift()
  if (first !== undefined) take(replica.receive(nowMs, { type: 'persisted', number: first.number }))
}

function say(...messages: readonly UpMessage[]): void {
  const writer = new Writer(1024)
  for (const message of messages) writeUp(writer, message)
  take(replica.receiveEdge(nowMs, edge, writer.take()))
}

/** So many creates in one message. */
function create(count: number): void {
  const frames = Array.from({ length: count }, () => {
    const body = { path: `/n${nodes++}`, data: null, acl: worldAnyone, flags: 0 }
    const frame = writeRequest(nodes, 'create', body).subarray(4)
    return { type: 'request', slot: 1, frame } as const
  })
  say(...frames)
}

const batches = (): readonly number[] => underWay.flatMap((one) => one.batches)

test('[Z9] a write alone is proposed at once', () => {
  create(1)
  expect(batches()).toEqual([1])
})

test('[Z9] what comes while a batch is under way is one batch, proposed with its commit', () => {
  create(1)
  create(2)
  create(3)
  expect(batches()).toEqual([1])
  persisted()
  expect(batches()).toEqual([5])
  persisted()
  expect(batches()).toEqual([])
  expect(replica.tree.get('/n5')).toBeDefined()
})

test('[Z9] where a commit takes long, as much as is under way is proposed beside it', () => {
  create(2)
  nowMs += limits.commitPatienceMs
  create(1)
  expect(batches()).toEqual([2])
  create(1)
  expect(batches()).toEqual([2, 2])
})

/** A batch of so many, committed: those who asked are answered, and may ask again. */
function answer(count: number): void {
  create(count)
  wait(limits.gatheringMs)
  expect(batches()).toEqual([count])
  persisted()
}

function wait(ms: number): void {
  nowMs += ms
  take(replica.receive(nowMs, { type: 'wake' }))
}

test('[Z11] where many were answered, a batch waits until most of them asked again', () => {
  answer(20)
  create(14)
  expect(batches()).toEqual([])
  create(1)
  expect(batches()).toEqual([15])
})

test('[Z11] those who came while it was under way are not all', () => {
  create(20)
  create(20)
  persisted()
  expect(batches()).toEqual([])
  create(10)
  expect(batches()).toEqual([30])
})

test('[Z11] it waits a moment and no longer', () => {
  answer(20)
  create(1)
  const turn = replica.receive(nowMs, { type: 'wake' })
  expect(turn.wakeAtMs).toBe(nowMs + limits.gatheringMs)
  wait(limits.gatheringMs)
  expect(batches()).toEqual([1])
})

test('[Z11] where only a few were answered nobody waits', () => {
  answer(limits.gatheredFrom - 1)
  create(1)
  expect(batches()).toEqual([1])
})

test('[Z11] who waited for nothing waits no more for a while, and longer each time', () => {
  const waits: boolean[] = []
  for (let round = 0; round < 12; round++) {
    answer(20)
    create(1)
    waits.push(batches().length === 0)
    wait(limits.gatheringMs)
    expect(batches()).toEqual([1])
    persisted()
  }
  const came = (round: number): boolean => waits[round] === true
  expect(waits.map((_, round) => round).filter(came)).toEqual([0, 2, 5, 10])
})
