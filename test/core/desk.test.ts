import { describe, expect, test } from 'vitest'
import { type UpMessage, verdicts } from '../../src/core/session/edge-messages.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { asSid } from '../../src/core/shared/units.ts'
import { type ReadContext, readEphemerals } from '../../src/core/request/read.ts'
import { createFlags, xids } from '../../src/core/wire/opcodes.ts'
import { Counter, linesIn } from './counter.ts'
import { aclOf, ask, bytesOf, op, session } from './machine.ts'

const create = (path: string, acl = aclOf(31)) => ({ path, data: bytesOf('x'), acl, flags: 0 })
const read = (path: string, watch = false) => ({ path, watch })
const set = (path: string, version = -1) => ({ path, data: bytesOf('y'), version })

describe('[R6] a session’s requests are answered in their order', () => {
  test('a read behind a write waits for it, and sees it', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'create', create('/a'))
    counter.ask(1, 2, 'exists', read('/a'))
    counter.ask(1, xids.ping, 'ping', undefined)
    expect(counter.heard()).toEqual([])
    counter.decide()
    expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 ok', '1: -2 ok'])
  })

  test('a read before a write does not wait, and does not see it', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'exists', read('/a'))
    counter.ask(1, 2, 'create', create('/a'))
    expect(counter.heard()).toEqual(['1: 1 NoNode'])
    counter.decide()
    expect(counter.heard()).toEqual(['1: 2 ok'])
  })

  test('a session does not wait for another', () => {
    const counter = new Counter().open(2)
    counter.ask(1, 1, 'create', create('/a'))
    counter.ask(2, 1, 'exists', read('/'))
    expect(counter.heard()).toEqual(['2: 1 ok'])
  })

  test('writes, reads, a sync and refusals, all in a row', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'sync', { path: '/anything' })
    counter.ask(1, 2, 'create', create('/a'))
    counter.ask(1, 3, 'getData', read('/a'))
    counter.ask(1, 4, 'create', create('/a'))
    counter.ask(1, 5, 'getChildren', read('/none'))
    counter.ask(1, 6, 'delete', { path: '/a', version: -1 })
    counter.ask(1, 7, 'exists', read('/a'))
    counter.decide()
    for (const number of counter.syncs) counter.desk.synced(number)
    expect(counter.heard()).toEqual([
      '1: 1 ok',
      '1: 2 ok',
      '1: 3 ok',
      '1: 4 NodeExists',
      '1: 5 NoNode',
      '1: 6 ok',
      '1: 7 NoNode',
    ])
  })

  test('[R7] an auth packet counts for what is behind it and for no read before it', () => {
    const counter = new Counter().open()
    const acl = [{ perms: 1, id: { scheme: 'digest', id: 'me:hash' } }]
    counter.ask(1, 1, 'create', create('/mine', acl))
    counter.ask(1, 2, 'getData', read('/mine'))
    counter.ask(1, 3, 'auth', { type: 0, scheme: 'digest', auth: bytesOf('me:secret') })
    counter.ask(1, 4, 'getData', read('/mine'))
    counter.decide()
    expect(counter.heard()).toEqual(['1: proved', '1: 1 ok', '1: 2 NoAuth', '1: 3 ok', '1: 4 ok'])
  })

  test('[R7] behind an auth packet that is refused nothing is done', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'create', create('/before'))
    counter.ask(1, 2, 'auth', { type: 0, scheme: 'world', auth: bytesOf('anyone') })
    counter.ask(1, 3, 'create', create('/behind'))
    counter.decide()
    expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 AuthFailed', '1: hangup'])
    expect(counter.machine.tree.get('/before')).toBeDefined()
    expect(counter.machine.tree.get('/behind')).toBeUndefined()
  })

  test('[R7] behind an operation that is none nothing is done', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'create', create('/before'))
    counter.raw(1, Uint8Array.of(0, 0, 0, 2, 0, 0, 3, 231))
    counter.ask(1, 3, 'create', create('/behind'))
    counter.decide()
    expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 Unimplemented', '1: hangup'])
    expect(counter.machine.tree.get('/behind')).toBeUndefined()
  })

  test('a sync waits for the leader, and what is behind it waits with it', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'sync', { path: '/' })
    counter.ask(1, 2, 'exists', read('/a'))
    expect(counter.heard()).toEqual([])
    counter.write(ask.create('/a'))
    for (const number of counter.syncs) counter.desk.synced(number)
    expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 ok'])
  })

  test('a read between a sync and a later write does not see the write', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'sync', { path: '/' })
    counter.ask(1, 2, 'exists', read('/a'))
    counter.ask(1, 3, 'sync', { path: '/' })
    counter.ask(1, 4, 'create', create('/a'))
    counter.decide()
    expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 NoNode', '1: 3 ok', '1: 4 ok'])
    for (const number of counter.syncs) counter.desk.synced(number)
    expect(counter.heard()).toEqual([])
    expect(counter.desk.owes(9)).toBe(false)
  })

  test('an answer is owed until it is given, whatever came of who asked', () => {
    const counter = new Counter().open(2)
    expect(counter.desk.owes(9)).toBe(false)
    counter.ask(1, 1, 'create', create('/a'))
    counter.ask(2, 1, 'sync', { path: '/' })
    expect(counter.desk.owes(9)).toBe(true)
    counter.say({ type: 'drop', slot: 1 }, { type: 'drop', slot: 2 })
    counter.decide()
    for (const number of counter.syncs) counter.desk.synced(number)
    expect(counter.desk.owes(9)).toBe(false)
    expect(counter.heard()).toEqual([])
    expect(counter.desk.outstandingCount).toBe(0)
  })
})

test('replies about authentication carry no zxid', () => {
  const counter = new Counter().open()
  counter.ask(1, 1, 'sasl', { token: bytesOf('token') })
  counter.ask(1, 2, 'auth', { type: 0, scheme: 'digest', auth: bytesOf('me:secret') })
  counter.ask(1, 3, 'exists', read('/'))
  expect(counter.zxidsHeard()).toEqual([0, 0, counter.machine.tree.applied])
})

test('a ping is answered under the number of pings, and sync echoes a path that is none', () => {
  const counter = new Counter().open()
  counter.ask(1, 7, 'ping', undefined)
  counter.ask(1, 8, 'sync', { path: null })
  for (const number of counter.syncs) counter.desk.synced(number)
  expect(counter.heard()).toEqual([`1: ${xids.ping} ok`, '1: 8 ok'])
})

test('ephemerals are listed by prefix: blanks are part of one, but a blank one is none', () => {
  const counter = new Counter().open()
  counter.ask(1, 1, 'create', { ...create('/e'), flags: createFlags.ephemeral })
  counter.decide()
  const context = { tree: counter.machine.tree, session: session(1) } as ReadContext
  const found = (prefixPath: string | null) => readEphemerals({ prefixPath }, context)
  const one = { value: { ephemerals: ['/e'] } }
  const none = { value: { ephemerals: [] } }
  for (const prefix of ['/e', '/', ' / ', '', ' ', null]) expect(found(prefix)).toEqual(one)
  for (const prefix of [' /e', '/e ', '/e/']) expect(found(prefix)).toEqual(none)
})

test('[J2] a body that is none is answered where its turn is, and the session goes on', () => {
  const counter = new Counter().open()
  counter.ask(1, 1, 'create', create('/a'))
  counter.raw(1, Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 9))
  counter.raw(1, Uint8Array.of(0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 9))
  counter.raw(1, Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 101, 0))
  counter.ask(1, 5, 'exists', read('/a'))
  counter.decide()
  const bad = [2, 3, 4].map((xid) => `1: ${xid} MarshallingError`)
  expect(counter.heard()).toEqual(['1: 1 ok', ...bad, '1: 5 ok'])
})

test('[J3] what is no operation is answered where its turn is; what comes behind it is not', () => {
  const counter = new Counter().open()
  counter.ask(1, 1, 'create', create('/a'))
  counter.raw(1, Uint8Array.of(0, 0, 0, 2, 0, 0, 3, 231))
  counter.ask(1, 3, 'exists', read('/a'))
  counter.decide()
  expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 Unimplemented', '1: hangup'])
  counter.ask(1, 4, 'exists', read('/a'))
  expect(counter.heard()).toEqual([])
})

test('[S4] the end of a session that is no more is answered without a txn', () => {
  const counter = new Counter().open()
  counter.say({ type: 'expire', session: session(77) })
  const [asked] = counter.forwarded.splice(0)
  expect(counter.machine.proposer.isNeedlessEnd(asked as never)).toBe(true)
  counter.desk.synced(asked?.number ?? 0)
  expect(counter.heard()).toEqual(['expired 77'])
  expect(counter.desk.owes(9)).toBe(false)
  counter.say({ type: 'expire', session: session(1) })
  expect(counter.machine.proposer.isNeedlessEnd(counter.forwarded[0] as never)).toBe(false)
  counter.decide()
  expect(counter.heard()).toEqual(['expired 1', '1: ended'])
})

test('numbers begin anew at 1 when they are used up: 0 is its judge’s', () => {
  const counter = new Counter().open()
  for (let xid = 1; xid <= 30; xid++) counter.ask(1, xid, 'create', create(`/n${xid}`))
  const numbers = counter.forwarded.map(({ number }) => number)
  expect(numbers).toContain(0x7fff_ffff)
  expect(numbers[numbers.indexOf(0x7fff_ffff) + 1]).toBe(1)
})

test('[S6] what stands behind a close is not answered', () => {
  const counter = new Counter().open()
  counter.ask(1, 1, 'closeSession', undefined)
  counter.ask(1, 2, 'exists', read('/'))
  counter.ask(1, 3, 'create', create('/late'))
  counter.decide()
  expect(counter.heard()).toEqual(['1: 1 ok', '1: ended'])
  expect(counter.machine.tree.get('/late')).toBe(undefined)
})

describe('[W2] an event leaves before a reply that shows the change', () => {
  test('of the session’s own write', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'exists', read('/a', true))
    counter.ask(1, 2, 'create', create('/a'))
    counter.ask(1, 3, 'getData', read('/a'))
    counter.decide()
    expect(counter.heard()).toEqual(['1: 1 NoNode', '1: created /a', '1: 2 ok', '1: 3 ok'])
  })

  test('of another’s write, also where the watch was asked for in between', () => {
    const counter = new Counter().open(2)
    counter.ask(1, 1, 'create', create('/a'))
    counter.ask(1, 2, 'getData', read('/a', true))
    counter.ask(2, 1, 'setData', set('/a'))
    counter.ask(1, 3, 'getData', read('/a'))
    counter.decide()
    expect(counter.heard()).toEqual([
      '1: 1 ok',
      '1: 2 ok',
      '1: 3 ok',
      '1: dataChanged /a',
      '2: 1 ok',
    ])
  })
})

describe('[W3] a standard watch fires once', () => {
  test.each([
    ['getData, on a change', 'getData', ask.set('/p'), ['dataChanged /p']],
    ['getData, on the deletion', 'getData', ask.delete('/p'), ['deleted /p']],
    ['exists, on a change', 'exists', ask.set('/p'), ['dataChanged /p']],
    ['getData, not on a child', 'getData', ask.create('/p/c'), []],
    ['getData, not on its ACL', 'getData', ask.setAcl('/p'), []],
    ['getChildren, on a child', 'getChildren', ask.create('/p/c'), ['childrenChanged /p']],
    ['getChildren2, on the deletion', 'getChildren2', ask.delete('/p'), ['deleted /p']],
    ['getChildren, not on a change', 'getChildren', ask.set('/p'), []],
  ] as const)('of %s', (_, operation, change, events) => {
    const counter = new Counter().open()
    counter.write(ask.create('/p'))
    counter.ask(1, 1, operation, read('/p', true))
    counter.ask(1, 2, operation, read('/p', true))
    counter.heard()
    counter.write(change)
    if (events.length > 0) {
      // Whatever comes now finds nobody.
      for (const more of [ask.create('/p'), ask.set('/p'), ask.create('/p/d')]) counter.write(more)
    }
    const heard = counter.heard().map((line) => line.slice(3))
    expect(heard).toEqual(events)
  })

  test('and one event tells of a deletion that data and child watch both wait for', () => {
    const counter = new Counter().open()
    counter.write(ask.create('/p'))
    counter.ask(1, 1, 'getData', read('/p', true))
    counter.ask(1, 2, 'exists', read('/p', true))
    counter.ask(1, 3, 'getChildren', read('/p', true))
    counter.heard()
    expect(counter.desk.watchCount).toBe(2)
    counter.write(ask.delete('/p'))
    expect(counter.heard()).toEqual(['1: deleted /p'])
    expect(counter.desk.watchCount).toBe(0)
  })

  test('for every session that watches', () => {
    const counter = new Counter().open(3)
    for (const slot of [1, 2, 3]) counter.ask(slot, 1, 'exists', read('/late', true))
    counter.heard()
    counter.say({ type: 'drop', slot: 2 })
    counter.write(ask.create('/late'))
    expect(counter.heard()).toEqual(['1: created /late', '3: created /late'])
  })

  test('and a read that is refused leaves none', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'getData', read('/none', true))
    counter.ask(1, 2, 'getChildren', read('/none', true))
    counter.write(ask.create('/hidden', 'persistent', aclOf(30)))
    counter.ask(1, 3, 'exists', read('/hidden', true))
    expect(counter.desk.watchCount).toBe(0)
  })

  test('a deleted ephemeral tells its parent’s watchers too, each event once', () => {
    const counter = new Counter().open(2)
    counter.write(ask.create('/p'))
    counter.ask(2, 9, 'create', { ...create('/p/e'), flags: 1 })
    counter.decide()
    counter.ask(1, 1, 'getChildren', read('/p', true))
    counter.ask(1, 2, 'getData', read('/p/e', true))
    counter.heard()
    counter.ask(2, 1, 'closeSession', undefined)
    counter.decide()
    expect(counter.heard()).toEqual([
      '1: deleted /p/e',
      '1: childrenChanged /p',
      '2: 1 ok',
      '2: ended',
    ])
  })
})

test('[W7] 50,000 deletions of one txn reach a watcher of the subtree, each once, in pieces', () => {
  const counter = new Counter().open(2)
  counter.write(ask.create('/p'))
  const name = 'x'.repeat(200)
  for (let at = 0; at < 50_000; at++) {
    counter.ask(2, at, 'create', { ...create(`/p/${name}${at}`), flags: 1 })
  }
  counter.decide()
  counter.heard()
  counter.ask(1, 1, 'addWatch', { path: '/p', mode: 1 })
  counter.heard()
  counter.ask(2, 1, 'closeSession', undefined)
  counter.decide()
  const pieces = counter.pieces()
  expect(pieces.length).toBeGreaterThan(2)
  for (const piece of pieces) expect(piece.length).toBeLessThan(limits.linkMessageBytesMax + 1024)
  const heard = pieces.flatMap(linesIn)
  expect(heard.length).toBe(50_002)
  expect(new Set(heard.slice(0, 50_000)).size).toBe(50_000)
  expect(heard.slice(50_000)).toEqual(['2: 1 ok', '2: ended'])
}, 60_000)

describe('[W4] setWatches tells what changed since, and arms what did not', () => {
  const scene = () => {
    const counter = new Counter().open()
    for (const path of ['/same', '/changed', '/parent', '/still', '/gone', '/gone/c']) {
      counter.write(ask.create(path))
    }
    const since = counter.machine.tree.applied
    counter.write(ask.set('/changed'))
    counter.write(ask.create('/parent/c'))
    counter.write(ask.delete('/gone/c'))
    counter.write(ask.delete('/gone'))
    counter.write(ask.create('/appeared'))
    return { counter, since }
  }
  const watches = {
    dataWatches: ['/same', '/changed', '/gone', '/parent'],
    existWatches: ['/appeared', '/none'],
    childWatches: ['/still', '/parent', '/gone'],
  }
  const told = [
    '1: dataChanged /changed',
    '1: deleted /gone',
    '1: created /appeared',
    '1: childrenChanged /parent',
    '1: deleted /gone',
  ]
  const armedAfter = (counter: Counter): string[] => {
    counter.write(ask.set('/same'))
    counter.write(ask.create('/none'))
    counter.write(ask.create('/still/c'))
    counter.write(ask.set('/parent'))
    counter.write(ask.set('/changed'))
    counter.write(ask.create('/gone'))
    return counter.heard()
  }
  const armed = [
    '1: dataChanged /same',
    '1: created /none',
    '1: childrenChanged /still',
    '1: dataChanged /parent',
  ]

  test('asked for by the client', () => {
    const { counter, since } = scene()
    counter.ask(1, -8, 'setWatches', { relativeZxid: since, ...watches })
    expect(counter.heard()).toEqual([...told, '1: -8 ok'])
    expect(armedAfter(counter)).toEqual(armed)
  })

  test('brought by the session’s actor', () => {
    const { counter, since } = scene()
    counter.say({ type: 'drop', slot: 1 })
    counter.resume(1, 1, { lastZxid: since, ...watches })
    expect(counter.heard()).toEqual(['1: alive', ...told])
    expect(armedAfter(counter)).toEqual(armed)
  })

  test('brought by the session’s actor in parts, before and after the session is known to live', () => {
    const { counter, since } = scene()
    counter.say({ type: 'drop', slot: 1 })
    const none = { dataWatches: [], existWatches: [], childWatches: [] }
    const staying = { persistentWatches: [], persistentRecursiveWatches: [] }
    const part = { type: 'rearm', slot: 1, lastZxid: since, ...none, ...staying } as const
    const early = { ...part, existWatches: watches.existWatches }
    const first = { lastZxid: since, dataWatches: watches.dataWatches }
    counter.resume(1, 1, first, early)
    counter.say({ ...part, childWatches: watches.childWatches })
    expect(counter.heard()).toEqual(['1: alive', ...told])
    expect(armedAfter(counter)).toEqual(armed)
  })

  test('behind a write it waits for the write, and does not tell of it', () => {
    const { counter } = scene()
    counter.ask(1, 1, 'setData', set('/same'))
    counter.ask(1, -8, 'setWatches', {
      relativeZxid: counter.machine.tree.applied + 1,
      dataWatches: ['/same'],
      existWatches: [],
      childWatches: [],
    })
    counter.decide()
    expect(counter.heard()).toEqual(['1: 1 ok', '1: -8 ok'])
  })
})

describe('[W5] watches that stay', () => {
  test('tell of everything about a node, until they are removed', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'addWatch', { path: '/p', mode: 0 })
    const changes = [ask.create('/p'), ask.set('/p'), ask.create('/p/c'), ask.create('/p/c/d')]
    for (const change of [...changes, ask.delete('/p/c/d'), ask.delete('/p/c'), ask.delete('/p')]) {
      counter.write(change)
    }
    expect(counter.heard()).toEqual([
      '1: 1 ok',
      '1: created /p',
      '1: dataChanged /p',
      '1: childrenChanged /p',
      '1: childrenChanged /p',
      '1: deleted /p',
    ])
    counter.ask(1, 2, 'removeWatches', { path: '/p', type: 4 })
    counter.ask(1, 3, 'removeWatches', { path: '/p', type: 4 })
    counter.write(ask.create('/p'))
    expect(counter.heard()).toEqual(['1: 2 ok', '1: 3 NoWatcher'])
    expect(counter.desk.watchCount).toBe(0)
  })

  test('of a subtree tell of all below it, and never of lists of children', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'addWatch', { path: '/p', mode: 1 })
    for (const change of [ask.create('/p'), ask.create('/p/c'), ask.create('/p/c/d')]) {
      counter.write(change)
    }
    counter.write(ask.create('/pp'))
    counter.write(ask.set('/p/c/d'))
    counter.write(ask.delete('/p/c/d'))
    expect(counter.heard()).toEqual([
      '1: 1 ok',
      '1: created /p',
      '1: created /p/c',
      '1: created /p/c/d',
      '1: dataChanged /p/c/d',
      '1: deleted /p/c/d',
    ])
  })

  test('of the root’s subtree hear everything; with a standard watch an event comes once', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'addWatch', { path: '/', mode: 1 })
    counter.ask(1, 2, 'exists', read('/x', true))
    counter.write(ask.create('/x'))
    counter.write(ask.create('/x/y'))
    expect(counter.heard().slice(2)).toEqual(['1: created /x', '1: created /x/y'])
  })

  test('are armed again by their actor without a word', () => {
    const counter = new Counter().open()
    counter.write(ask.create('/p'))
    counter.say({ type: 'drop', slot: 1 })
    counter.resume(1, 1, { persistentWatches: ['/p'], persistentRecursiveWatches: ['/q'] })
    expect(counter.heard()).toEqual(['1: alive'])
    counter.write(ask.create('/q'))
    counter.write(ask.create('/q/r'))
    counter.write(ask.create('/p/c'))
    expect(counter.heard()).toEqual(['1: created /q', '1: created /q/r', '1: childrenChanged /p'])
  })
})

test('[W6] nobody hears of a node he may not read', () => {
  const counter = new Counter().open()
  for (const path of ['/p', '/p/c']) counter.write(ask.create(path))
  counter.ask(1, 1, 'getData', read('/p/c', true))
  counter.ask(1, 2, 'getChildren', read('/p', true))
  counter.heard()
  counter.write(ask.setAcl('/p/c', aclOf(30)))
  counter.write(ask.set('/p/c'))
  expect(counter.heard()).toEqual([])
  counter.write(ask.delete('/p/c'))
  expect(counter.heard()).toEqual(['1: childrenChanged /p'])
})

describe('[S11] a session is attached in one place', () => {
  test('a new attachment takes the place of the old: its requests are nobody’s', () => {
    const counter = new Counter().open()
    counter.ask(1, 1, 'getData', read('/', true))
    counter.ask(1, 2, 'create', create('/a'))
    counter.heard()
    counter.resume(2, 1)
    counter.ask(1, 3, 'exists', read('/'))
    counter.decide()
    counter.write(ask.set('/'))
    expect(counter.heard()).toEqual(['2: alive'])
    expect(counter.desk.connectionCount).toBe(1)
  })

  test('a session that is no more is gone, a client that has seen more is sent on', () => {
    const counter = new Counter().open()
    counter.resume(5, 99)
    counter.resume(6, 1, { lastZxid: counter.machine.tree.applied + 1 })
    expect(counter.heard()).toEqual(['5: gone', '6: behind'])
    expect(counter.desk.connectionCount).toBe(0)
    expect(verdicts.alive).toBe(0)
  })

  test('a write through an attachment that another member took over hangs up', () => {
    const counter = new Counter().open()
    counter.machine.proposer.revalidate(session(1), 2 as never, 1)
    counter.ask(1, 1, 'create', create('/a'))
    counter.decide()
    expect(counter.heard()).toEqual(['1: hangup'])
    expect(counter.machine.tree.get('/a')).toBe(undefined)
  })

  test('an expiry asked twice is told twice, and its attachment ends', () => {
    const counter = new Counter().open()
    counter.say({ type: 'expire', session: session(1) }, { type: 'expire', session: session(1) })
    counter.decide()
    expect(counter.heard()).toEqual(['expired 1', '1: ended', 'expired 1'])
    expect(counter.desk.owes(9)).toBe(false)
  })

  test('[S14] an actor is told its sessions and no others', () => {
    const counter = new Counter().open(4)
    counter.say({ type: 'list', number: 0, idsFrom: 2n, idsTo: 3n })
    // The member may lag: the newest session would go unjudged.
    expect(counter.heard()).toEqual([])
    for (const sync of counter.syncs) counter.desk.synced(sync)
    expect(counter.heard()).toEqual(['sessions 2 3'])
  })
})

describe('[S16] where proof is required', () => {
  const required = () => new Counter({}, ['digest'])
  const auth = { type: 0, scheme: 'digest', auth: bytesOf('u:p') }

  test('a client that proved nothing is refused and let go, in its turn', () => {
    const counter = required().open()
    counter.ask(1, 1, 'exists', read('/'))
    counter.ask(1, 2, 'exists', read('/'))
    expect(counter.heard()).toEqual(['1: 1 SessionClosedRequireSaslAuth', '1: hangup'])
  })

  test('one that did is served', () => {
    const counter = required().open()
    counter.ask(1, -4, 'auth', auth)
    counter.ask(1, 1, 'create', create('/a'))
    counter.decide()
    expect(counter.heard()).toEqual(['1: proved', '1: -4 ok', '1: 1 ok'])
  })

  test('an address is no proof of another scheme', () => {
    const counter = required().open()
    counter.ask(1, -4, 'auth', { type: 0, scheme: 'ip', auth: null })
    counter.ask(1, 1, 'create', create('/a'))
    expect(counter.heard().at(-1)).toBe('1: hangup')
    expect(counter.forwarded).toEqual([])
  })
})

describe('[S17] a member serves as many clients as it may', () => {
  const open = (slot: number, address: string): UpMessage => ({
    type: 'open',
    slot,
    session: session(slot),
    timeoutMs: 5000,
    address,
    lastZxid: 0,
    identities: [],
    canBeReadOnly: false,
  })

  test('of one address, whatever the port', () => {
    const counter = new Counter({ maxClientCnxns: 2 })
    counter.say(open(1, '10.0.0.1:1'), open(2, '10.0.0.1:2'), open(3, '10.0.0.1:3'))
    counter.say(open(4, '10.0.0.2:1'))
    counter.decide()
    expect(counter.heard()).toEqual(['3: crowded', '1: alive', '2: alive', '4: alive'])
    expect(counter.desk.rejectedCount).toBe(1)
  })

  test('in all; whoever leaves makes room', () => {
    const counter = new Counter({ maxCnxns: 2 })
    counter.say(open(1, 'a:1'), open(2, 'b:1'), open(3, 'c:1'))
    counter.decide()
    counter.heard()
    counter.say({ type: 'drop', slot: 2 }, { type: 'drop', slot: 2 }, open(4, 'd:1'))
    counter.say(open(5, 'e:1'))
    counter.decide()
    expect(counter.heard()).toEqual(['5: crowded', '4: alive'])
  })

  test('a session that comes again takes its own place', () => {
    const counter = new Counter({ maxCnxns: 1 }).open()
    counter.resume(2, 1)
    expect(counter.heard()).toEqual(['2: alive'])
  })
})

describe('[R11] requests beyond what may be under way wait their turn', () => {
  const limited = { requestThrottleMaxRequests: 2, throttledOpWaitTimeMs: 3000 }

  test('and are decided in the order they came, over all sessions', () => {
    const counter = new Counter(limited).open(2)
    for (const xid of [1, 2, 3]) counter.ask(1, xid, 'create', create(`/a${xid}`))
    counter.ask(2, 1, 'create', create('/b'))
    counter.ask(1, 4, 'exists', read('/a3'))
    expect(counter.forwarded.length).toBe(2)
    counter.decide()
    counter.desk.releaseThrottled()
    expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 ok'])
    counter.decide()
    expect(counter.heard()).toEqual(['1: 3 ok', '1: 4 ok', '2: 1 ok'])
  })

  test('or, after too long, are answered untried', () => {
    const counter = new Counter(limited).open()
    for (const xid of [1, 2, 3]) counter.ask(1, xid, 'create', create(`/a${xid}`))
    expect(counter.desk.wakeAtMs).toBe(counter.nowMs + 3000)
    counter.pass(3000)
    counter.desk.releaseThrottled()
    counter.decide()
    expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 ok', '1: 3 ThrottledOp'])
    expect(counter.machine.tree.get('/a3')).toBe(undefined)
    expect(counter.desk.wakeAtMs).toBe(Infinity)
  })

  test('unless their client left', () => {
    const counter = new Counter(limited).open(2)
    for (const xid of [1, 2]) counter.ask(1, xid, 'create', create(`/a${xid}`))
    counter.ask(2, 1, 'create', create('/b'))
    counter.say({ type: 'drop', slot: 2 })
    counter.decide()
    counter.desk.releaseThrottled()
    expect(counter.forwarded).toEqual([])
  })
})

describe('[S18] a local session', () => {
  const local = { localSessionsEnabled: true }
  const ephemeral = { ...create('/e'), flags: 1 }

  test('begins, reads, writes and ends without a txn of its own', () => {
    const counter = new Counter(local)
    const { applied } = counter.machine.tree
    counter.say(opened)
    expect(counter.heard()).toEqual(['1: local'])
    counter.ask(1, 1, 'create', create('/a'))
    counter.ask(1, 2, 'exists', read('/a'))
    counter.decide()
    counter.ask(1, 3, 'closeSession', undefined)
    expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 ok', '1: 3 ok', '1: ended'])
    expect(counter.machine.tree.applied).toBe(applied + 1)
    expect(counter.machine.tree.sessions.has(session(1))).toBe(false)
  })

  test.each([
    ['create', ask.create('/e', 'ephemeral')],
    ['create2', ask.create2('/e', 'ephemeral')],
    ['multi', ask.multi(op.create('/a'), op.create('/e', 'ephemeral'))],
  ])('becomes global before it creates an ephemeral by %s', (_, request) => {
    const counter = new Counter(local)
    counter.say(opened)
    counter.raw(1, request)
    counter.ask(1, 2, 'create', { ...create('/f'), flags: 1 })
    expect(counter.forwarded.length).toBe(3)
    counter.decide()
    expect(counter.heard()).toEqual(['1: local', '1: upgraded', '1: 1 ok', '1: 2 ok'])
    expect(counter.machine.tree.sessions.get(session(1))).toBe(5000)
    expect([...counter.machine.tree.ephemeralsOf(session(1))].toSorted()).toEqual(['/e', '/f'])
  })

  test('creates none where it may not become global', () => {
    const counter = new Counter({ ...local, localSessionsUpgradingEnabled: false })
    counter.say(opened)
    counter.ask(1, 1, 'create', ephemeral)
    counter.ask(1, 2, 'create', create('/a'))
    counter.decide()
    expect(counter.heard()).toEqual(['1: local', '1: 1 EphemeralOnLocalSession', '1: 2 ok'])
  })

  test('is resumed by its actor’s word, and is global if the ensemble knows it', () => {
    const counter = new Counter(local)
    counter.say(opened)
    counter.resume(2, 1, { isLocal: true })
    expect(counter.heard()).toEqual(['1: local', '2: local'])
    counter.ask(2, 1, 'create', ephemeral)
    counter.decide()
    counter.resume(3, 1, { isLocal: true })
    expect(counter.heard()).toEqual(['2: upgraded', '2: 1 ok', '3: alive'])
  })

  test('whose upgrade its actor never heard of goes on with the next one', () => {
    const counter = new Counter(local)
    counter.say(opened)
    counter.ask(1, 1, 'create', ephemeral)
    const [upgrade] = counter.forwarded.splice(0)
    counter.say({ type: 'drop', slot: 1 })
    counter.resume(2, 1, { isLocal: true })
    counter.forwarded.push(upgrade as never)
    counter.ask(2, 1, 'create', ephemeral)
    counter.decide()
    expect(counter.heard()).toEqual(['1: local', '2: local', '2: upgraded', '2: 1 ok'])
  })

  const opened: UpMessage = {
    type: 'open',
    slot: 1,
    session: session(1),
    timeoutMs: 5000,
    address: 'test',
    lastZxid: 0,
    identities: [],
    canBeReadOnly: false,
  }
})

describe('[S19] without a quorum, a member', () => {
  const readOnly = () => {
    const counter = new Counter().open()
    counter.desk.dropAll()
    counter.desk.isReadOnly = true
    return counter
  }

  test('serves reads and refuses writes to who takes that', () => {
    const counter = readOnly()
    counter.resume(1, 1, { canBeReadOnly: true, dataWatches: ['/none'] })
    counter.ask(1, 1, 'exists', read('/'))
    counter.ask(1, 2, 'create', create('/a'))
    counter.ask(1, 3, 'sync', { path: '/' })
    counter.raw(1, ask.multi())
    counter.ask(1, 5, 'closeSession', undefined)
    counter.ask(1, 6, 'ping', undefined)
    expect(counter.heard()).toEqual([
      '1: readOnly',
      '1: deleted /none',
      '1: 1 ok',
      ...[2, 3, 1, 5].map((xid) => `1: ${xid} NotReadOnly`),
      '1: -2 ok',
    ])
    expect([counter.forwarded, counter.syncs]).toEqual([[], []])
  })

  test('sends away who does not, and sessions it does not know', () => {
    const counter = readOnly()
    counter.resume(1, 1)
    counter.resume(2, 2, { canBeReadOnly: true })
    expect(counter.heard()).toEqual(['1: unwelcome', '2: unwelcome'])
  })

  test('ends no session and tells nobody which there are', () => {
    const counter = readOnly()
    counter.say({ type: 'expire', session: session(1) })
    counter.say({ type: 'list', number: 0, idsFrom: 0n, idsTo: session(100) })
    expect([counter.forwarded, counter.syncs, counter.heard()]).toEqual([[], [], []])
  })
})

test('[G5] every actor is told who the members are once they are others, and each that comes later first of all', () => {
  const counter = new Counter().open()
  counter.heard()
  counter.desk.tellMembers([asSid(1), asSid(4)])
  expect(counter.heard()).toEqual(['members 1 4'])
  counter.desk.dropAll()
  counter.say({ type: 'list', number: 1, idsFrom: 0n, idsTo: 1n })
  expect(counter.heard()[0]).toBe('members 1 4')
})
