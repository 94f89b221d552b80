import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asSessionId } from '../../src/core/shared/units.ts'
import { rooms } from '../../src/core/tree/row-table.ts'
import { Tree } from '../../src/core/tree/tree.ts'
import { digestOf, statOf } from '../../src/core/tree/znode.ts'
import { crc32 } from '../../src/core/shared/crc32.ts'
import { MemoryDisk, MemoryStore } from '../support/memory-store.ts'
import { aclOf, ask, bytesOf, Machine, op, session } from './machine.ts'

const statIn = (machine: Machine, path: string) => {
  const node = machine.tree.get(path)
  if (node === undefined) throw new Error(`no node at ${path}`)
  return statOf(node)
}

describe('[T3] the Stat', () => {
  test('of a new node has the zxid and the time of its txn, and every version 0', () => {
    const machine = new Machine().open()
    const { zxid } = machine.run(ask.create('/a', 'ephemeral'))
    const stat = statIn(machine, '/a')
    expect(stat).toMatchObject({ czxid: zxid, mzxid: zxid, pzxid: zxid, version: 0, cversion: 0 })
    expect(stat).toMatchObject({ aversion: 0, ephemeralOwner: 1n, dataLength: 1, numChildren: 0 })
    expect(stat.ctime).toBe(stat.mtime)
  })

  test('moves mzxid, mtime and version with the data, and nothing else', () => {
    const machine = new Machine().open()
    machine.run(ask.create('/a'))
    const before = statIn(machine, '/a')
    const { zxid } = machine.run(ask.set('/a', 'longer'))
    const { mtime, ...after } = statIn(machine, '/a')
    expect(mtime).toBeGreaterThan(before.mtime)
    const { mtime: _, ...unmoved } = before
    expect(after).toEqual({ ...unmoved, mzxid: zxid, version: 1, dataLength: 6 })
  })

  test('moves cversion by one and pzxid with every child that comes or goes', () => {
    const machine = new Machine().open()
    machine.run(ask.create('/p'))
    const { zxid: made } = machine.run(ask.create('/p/a'))
    expect(statIn(machine, '/p')).toMatchObject({ cversion: 1, numChildren: 1, pzxid: made })
    machine.run(ask.create('/p/b'))
    machine.run(ask.set('/p/b'))
    expect(statIn(machine, '/p')).toMatchObject({ cversion: 2, numChildren: 2, version: 0 })
    const { zxid: gone } = machine.run(ask.delete('/p/a'))
    expect(statIn(machine, '/p')).toMatchObject({ cversion: 3, numChildren: 1, pzxid: gone })
    machine.run(ask.delete('/p/b'))
    // 2 × 2 creations − 0 children
    expect(statIn(machine, '/p')).toMatchObject({ cversion: 4, numChildren: 0 })
  })

  test('does not move when a grandchild changes', () => {
    const machine = new Machine().open()
    for (const path of ['/p', '/p/c']) machine.run(ask.create(path))
    const before = statIn(machine, '/p')
    machine.run(ask.create('/p/c/g'))
    machine.run(ask.set('/p/c/g'))
    expect(statIn(machine, '/p')).toEqual(before)
  })

  test('moves aversion alone with the ACL', () => {
    const machine = new Machine().open()
    machine.run(ask.create('/a'))
    const before = statIn(machine, '/a')
    machine.run(ask.setAcl('/a', aclOf(1)))
    expect(statIn(machine, '/a')).toEqual({ ...before, aversion: 1 })
  })

  test('of null data has length 0, and the data stays null', () => {
    const machine = new Machine().open()
    machine.run(ask.createFlags('/n', 0))
    expect(machine.tree.get('/n')?.data).toBe(null)
    expect(statIn(machine, '/n').dataLength).toBe(0)
    machine.checkpoint()
    expect(new Tree(machine.store, 0).get('/n')?.data).toBe(null)
  })
})

describe('[T4] a fresh tree', () => {
  test('has ZooKeeper’s nodes, and the root is counted twice', () => {
    const { tree } = new Machine()
    expect(tree.nodeCount).toBe(5)
    expect([...(tree.children('/') ?? [])]).toEqual(['zookeeper'])
    expect([...(tree.children('/zookeeper') ?? [])].toSorted()).toEqual(['config', 'quota'])
    expect(statOf(tree.get('/zookeeper/config') as never)).toMatchObject({
      version: -1,
      aversion: -1,
      czxid: 0,
    })
  })

  test('reads the empty path as the root, and no other bad path', () => {
    const machine = new Machine().open()
    for (const path of ['/a', '/a/b']) machine.run(ask.create(path))
    for (const reopened of [machine.tree, (machine.checkpoint(), new Tree(machine.store, 0))]) {
      expect(reopened.get('')).toEqual(reopened.get('/'))
      expect(reopened.children('')?.has('a')).toBe(true)
      for (const bad of ['a', 'a/b', '/a/', '//a', '/a//b', '//', '/a/b/', '/none', 'zookeeper']) {
        expect(reopened.get(bad), bad).toBe(undefined)
        expect(reopened.children(bad), bad).toBe(undefined)
      }
    }
  })
})

describe('[T5] the end of a session', () => {
  test('takes all its ephemerals at one zxid, and nobody else’s', () => {
    const machine = new Machine().open().open(session(2))
    for (const path of ['/a', '/b']) machine.run(ask.create(path))
    for (const path of ['/a/e', '/b/e', '/e']) machine.run(ask.create(path, 'ephemeral'))
    machine.run(ask.create('/a/other', 'ephemeral'), session(2))
    expect(machine.tree.ephemeralCount).toBe(4)
    const { zxid, events } = machine.run(ask.close())
    expect(['/a', '/b', '/'].map((path) => statIn(machine, path).pzxid)).toEqual([zxid, zxid, zxid])
    expect(events.toSorted()).toEqual([
      'childrenChanged /',
      'childrenChanged /a',
      'childrenChanged /b',
      'deleted /a/e',
      'deleted /b/e',
      'deleted /e',
    ])
    expect(machine.tree.get('/a/other')?.owner).toBe(2n)
    expect(machine.tree.ephemeralCount).toBe(1)
    expect([...machine.tree.sessions.keys()]).toEqual([2n])
  })

  test('is found again behind a checkpoint, with negative ids too', () => {
    const store = new Machine().store
    const before = new Machine(0, store)
    // The first byte of an id is a member's number, so half of all ids are negative.
    const negative = asSessionId(-0x7000_0000_0000_0005n)
    for (const id of [session(1), negative]) {
      before.open(id)
      before.run(ask.create(`/of${id}`, 'ephemeral'), id)
    }
    before.checkpoint()
    const after = new Machine(0, store)
    expect(new Set(after.tree.sessions.keys())).toEqual(new Set([negative, 1n]))
    expect(after.run(ask.close(), negative).events).toEqual([
      `deleted /of${negative}`,
      'childrenChanged /',
    ])
    after.checkpoint()
    const last = new Tree(store, 0)
    expect(last.ephemeralCount).toBe(1)
    expect(last.ephemeralsOf(negative).size).toBe(0)
  })
})

test('[T9] the end of a session with 50,000 ephemerals is one small txn, the same from disk as in memory', () => {
  const disk = new MemoryDisk()
  const beforeCrash = new Machine(0, new MemoryStore(disk))
  const witness = new Machine()
  for (const machine of [beforeCrash, witness]) {
    machine.open()
    machine.run(ask.create('/p'))
    for (let at = 0; at < 50_000; at++) {
      machine.propose(ask.create(`/p/${'long'.repeat(10)}${at}`, 'ephemeral'))
      if (at % 1000 === 999) machine.apply()
    }
  }
  beforeCrash.checkpoint()
  const afterCrash = new Machine(0, new MemoryStore(disk))
  afterCrash.resumeFrom(beforeCrash)
  for (const machine of [afterCrash, witness]) {
    machine.propose(ask.close())
    expect(machine.proposer.waitingBytes).toBeLessThan(100)
  }
  const [one, other] = [afterCrash.apply(), witness.apply()]
  expect(one).toEqual(other)
  expect(one[0]?.events.length).toBe(100_000)
  expect(afterCrash.tree.digest()).toBe(witness.tree.digest())
  expect(afterCrash.tree.nodeCount).toBe(6)
  expect(afterCrash.tree.ephemeralCount).toBe(0)
}, 60_000)

test('[T6] CRC-32 is the one of IEEE 802.3, in one go and in parts', () => {
  expect(crc32(bytesOf('123456789'))).toBe(0xcbf43926)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (bytes, cut) => {
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc32(bytes))
    }),
  )
})

// A few names, so that operations meet; a few values, so that budgets are felt.
const names = ['a', 'b', 'c']
const path = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
  .map((of) => `/${of.join('/')}`)
const data = fc.string({ maxLength: 300 })
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constant('create' as const),
      path,
      data,
      fc.constantFrom('persistent', 'ephemeral', 'persistentSequential'),
    ),
  },
  { weight: 4, arbitrary: fc.tuple(fc.constant('set' as const), path, data) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('delete' as const), path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('setAcl' as const), path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('multi' as const), path, path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('close' as const)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('children' as const), path) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('get' as const), path) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('checkpoint' as const)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('early' as const), fc.nat(4)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('restart' as const)) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const requestOf = (one: Step): Uint8Array | undefined => {
  switch (one[0]) {
    case 'create':
      return ask.create(one[1], one[3] as never, undefined, one[2])
    case 'set':
      return ask.set(one[1], one[2])
    case 'delete':
      return ask.delete(one[1])
    case 'setAcl':
      return ask.setAcl(one[1])
    case 'multi':
      return ask.multi(op.create(one[1]), op.set(one[2]))
    case 'close':
      return ask.close()
    case 'children':
    case 'get':
    case 'checkpoint':
    case 'early':
    case 'restart':
      return undefined
  }
}

/** Everything that can be read of a tree. */
function contentsOf(tree: Tree): unknown {
  const nodes: unknown[] = []
  const visit = (at: string): void => {
    const node = tree.get(at)
    if (node === undefined) throw new Error(`a listed child is missing: ${at}`)
    const children = [...(tree.children(at) ?? [])].toSorted()
    nodes.push([at, statOf(node), node.data && [...node.data], node.acl, children])
    for (const name of children) visit(at === '/' ? `/${name}` : `${at}/${name}`)
  }
  visit('/')
  const { nodeCount, ephemeralCount, dataBytes, applied } = tree
  return {
    nodes,
    nodeCount,
    ephemeralCount,
    dataBytes,
    applied,
    sessions: new Map(tree.sessions),
  }
}

/** The digest, added up from all nodes. */
function digestFromScratch(tree: Tree): string {
  let sum = 0n
  const visit = (at: string): void => {
    const node = tree.get(at)
    if (node !== undefined) sum += BigInt(digestOf(at, node))
    for (const name of tree.children(at) ?? []) visit(at === '/' ? `/${name}` : `${at}/${name}`)
  }
  visit('/')
  return sum.toString(16)
}

/** What a learner would be sent: the checkpoint, whatever was written early. */
const snapshotOf = ({ store }: Machine): string =>
  JSON.stringify(
    store
      .page(undefined, Infinity)
      .map(({ room, key, name, value }) => [room, key, name, [...value]]),
  )

test.each([0, 700, 3000])(
  '[T7] [D12] a tree with a cache of %i bytes is the same as one that holds everything, restarts included',
  (cacheBytes) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const whole = new Machine().open()
        let small = new Machine(cacheBytes).open()
        let checkpoint = snapshotOf(small)
        for (const one of steps) {
          const [what] = one
          if (what === 'children') {
            const [expected, found] = [whole, small].map(({ tree }) => tree.children(one[1]))
            expect(found && [...found].toSorted()).toEqual(expected && [...expected].toSorted())
          } else if (what === 'get') {
            const [expected, found] = [whole, small].map(({ tree }) => tree.get(one[1]))
            expect(found && statOf(found)).toEqual(expected && statOf(expected))
          } else if (what === 'checkpoint') {
            small.checkpoint()
            checkpoint = snapshotOf(small)
          } else if (what === 'early') {
            small.writeEarly(one[1])
            expect(snapshotOf(small)).toBe(checkpoint)
          } else if (what === 'restart') {
            small.checkpoint()
            const again = new Machine(cacheBytes, small.store)
            again.resumeFrom(small)
            small = again
            checkpoint = snapshotOf(small)
          } else {
            const request = requestOf(one) as Uint8Array
            const [expected, found] = [whole.run(request), small.run(request)]
            expect(found).toEqual(expected)
            if (what === 'close') for (const machine of [whole, small]) machine.open()
          }
        }
        expect(snapshotOf(small)).toBe(checkpoint)
        expect(small.tree.digest()).toBe(whole.tree.digest())
        expect(contentsOf(small.tree)).toEqual(contentsOf(whole.tree))
        expect(small.tree.digest()).toBe(digestFromScratch(small.tree))
        expect(whole.tree.digest()).toBe(digestFromScratch(whole.tree))
      }),
      {
        numRuns: 1000,
        // A close wrote the paths in the order of memory, which a restart changes.
        examples: [
          [
            [
              ['create', '/c', '', 'ephemeral'],
              ['create', '/a', '', 'ephemeral'],
              ['restart'],
              ['close'],
            ],
          ],
        ],
      },
    )
  },
)

test('[T8] the cache stays within its budget behind a checkpoint, and counts what it holds', () => {
  const machine = new Machine(5000).open()
  for (let count = 0; count < 100; count++)
    machine.run(ask.create(`/n${count}`, 'persistent', undefined, 'x'.repeat(100)))
  machine.checkpoint()
  expect(machine.tree.cachedBytes).toBeLessThanOrEqual(5000)
  for (let count = 0; count < 100; count++) {
    expect(machine.tree.get(`/n${count}`)?.data?.length).toBe(100)
    expect(machine.tree.cachedBytes).toBeLessThanOrEqual(5000)
  }
  // Changes stay in memory until the checkpoint has them; then the budget holds again.
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 100; count++)
      machine.run(ask.set(`/n${count}`, 'y'.repeat(50 + 100 * round)))
    machine.checkpoint()
    expect(machine.tree.cachedBytes).toBeLessThanOrEqual(5000)
    expect(machine.tree.cachedBytes).toBeGreaterThanOrEqual(0)
  }
})

test('[T8] the bytes counted do not drift', () => {
  const machine = new Machine(0).open()
  machine.run(ask.create('/drifts', 'persistent', undefined, ''))
  machine.checkpoint()
  const empty = machine.tree.cachedBytes
  for (let round = 0; round < 50; round++) {
    machine.run(ask.set('/drifts', 'y'.repeat(round % 2 === 0 ? 1000 : 0)))
    machine.checkpoint()
  }
  expect(machine.tree.cachedBytes).toBe(empty)
  for (let round = 0; round < 50; round++) {
    machine.run(ask.set('/drifts', 'y'.repeat(round * 10)))
    machine.checkpoint()
  }
  expect(machine.tree.cachedBytes).toBe(empty)
})

describe('[T8] a checkpoint has a row for what came or went since the last, and none for what did both', () => {
  const rowsOf = (machine: Machine): string[] =>
    machine.tree
      .checkpoint()
      .rows.filter(({ room, name }) => room !== rooms.session && name !== '')
      .map(({ name, value }) => `${value === null ? '-' : '+'}${name}`)
      .toSorted()

  test.each([0, 1_000_000])('with a cache of %i bytes', (cacheBytes) => {
    const machine = new Machine(cacheBytes).open()
    machine.run(ask.create('/stays'))
    machine.run(ask.create('/goes'))
    machine.checkpoint()
    machine.run(ask.create('/brief', 'ephemeral'))
    machine.run(ask.delete('/brief'))
    expect(rowsOf(machine)).toEqual([])
    expect(machine.tree.unwrittenCount).toBe(0)
    expect(machine.tree.get('/brief')).toBeUndefined()
    machine.run(ask.delete('/goes'))
    machine.run(ask.create('/goes'))
    machine.run(ask.delete('/goes'))
    machine.run(ask.create('/brief'))
    expect(rowsOf(machine)).toEqual(['+brief', '-goes'])
    expect(machine.tree.unwrittenCount).toBe(1)
    machine.checkpoint()
    expect([machine.tree.unwrittenCount, machine.tree.changedCount]).toEqual([0, 0])
    machine.run(ask.delete('/brief'))
    expect(rowsOf(machine)).toEqual(['-brief'])
    machine.run(ask.create('/brief'))
    expect(rowsOf(machine)).toEqual(['+brief'])
    machine.run(ask.delete('/brief'))
    machine.checkpoint()
    machine.run(ask.create('/owned', 'ephemeral'))
    expect(rowsOf(machine)).toEqual(['+/owned', '+owned'])
    machine.checkpoint()
    for (const request of [ask.delete('/owned'), ask.create('/owned', 'ephemeral')])
      machine.run(request)
    expect(rowsOf(machine)).toEqual(['+/owned', '+owned'])
    machine.run(ask.delete('/owned'))
    expect(rowsOf(machine)).toEqual(['-/owned', '-owned'])
    machine.checkpoint()
    expect([...(machine.tree.children('/') ?? [])].toSorted()).toEqual(['stays', 'zookeeper'])
  })
})
