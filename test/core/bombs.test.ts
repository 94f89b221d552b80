/** Small bytes that ask for much: memory, time, depth. */
import { afterEach, describe, expect, test } from 'vitest'
import { MalformedFrame, Writer } from '../../src/core/jute/codec.ts'
import { type Forwarded, ForwardWriter, readForwarded } from '../../src/core/request/forward.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { Random } from '../../src/core/shared/random.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import { writeMultiRequest } from '../../src/core/wire/multi.ts'
import { opcodes } from '../../src/core/wire/opcodes.ts'
import { byteReaders } from '../fuzz/readers.ts'
import { TinyEnsemble } from '../fuzz/tiny-ensemble.ts'
import { Counter } from './counter.ts'
import { aclOf, ask, bytesOf, Machine } from './machine.ts'

const claims = [0x7fff_ffff, 0x7fff_fff0, 0x4000_0000, 0x1000_0000, 0x10_0000, -0x8000_0000, -2]

describe('[J4] a length or a count that no bytes stand behind costs nothing', () => {
  const kept = { Uint8Array, Array }
  let largest = 0
  /** Notes how much is asked for at once, while a reader reads. */
  const counted = <C extends typeof Uint8Array | typeof Array>(of: C): C => {
    const note = (args: readonly unknown[]): void => {
      if (typeof args[0] === 'number') largest = Math.max(largest, args[0])
    }
    return new Proxy(of, {
      construct: (target, args, self) => {
        note(args)
        return Reflect.construct(target, args, self) as object
      },
      apply: (target, self, args) => {
        note(args)
        return Reflect.apply(target as () => unknown, self, args)
      },
    })
  }
  afterEach(() => void Object.assign(globalThis, kept))

  test.each(byteReaders.map((reader) => [reader.name, reader] as const))('%s', (_, reader) => {
    const random = new Random(1)
    const samples = Array.from({ length: 4 }, () => reader.sample(random))
    largest = 0
    Object.assign(globalThis, { Uint8Array: counted(Uint8Array), Array: counted(Array) })
    for (const sample of samples) {
      for (let at = 0; at + 4 <= sample.length; at++) {
        for (const claim of claims) {
          const liar = sample.slice()
          new DataView(liar.buffer).setInt32(at, claim)
          try {
            reader.read(liar)
          } catch (fault) {
            expect(fault).toBeInstanceOf(MalformedFrame)
          }
        }
      }
    }
    Object.assign(globalThis, kept)
    expect(largest).toBeLessThan(4096)
  })

  test('a frame that is promised and never comes is held as far as it came', () => {
    const deframer = new Deframer(1_048_575)
    expect(deframer.push(Uint8Array.of(0, 0x0f, 0xff, 0xff))).toEqual([])
    expect(deframer.push(new Uint8Array(100))).toEqual([])
    expect(deframer.held).toBe(104)
  })
})

test('[J5] a multiRead of more than a reply may hold is refused, and the next request is answered', () => {
  const counter = new Counter().open()
  const megabyte = new Uint8Array(1_000_000)
  counter.ask(1, 1, 'create', { path: '/m', data: megabyte, acl: aclOf(31), flags: 0 })
  counter.decide()
  const get = { operation: 'getData', request: { path: '/m', watch: false } } as const
  for (const [xid, count] of [10, 60_000].entries()) {
    const writer = new Writer()
    writer.int(xid + 2)
    writer.int(opcodes.multiRead.code)
    writeMultiRequest(writer, Array(count).fill(get))
    expect(writer.at).toBeLessThan(1_048_575)
    counter.raw(1, writer.take())
  }
  counter.ask(1, 4, 'exists', { path: '/m', watch: false })
  expect(counter.heard()).toEqual(['1: 1 ok', '1: 2 ok', '1: 3 MarshallingError', '1: 4 ok'])
})

test('[J5] a list of children longer than a reply may be is refused', { timeout: 60_000 }, () => {
  const counter = new Counter().open()
  const name = 'n'.repeat(100_000)
  for (let at = 0; at * name.length <= limits.replyBytesMax; at++) {
    counter.write(ask.create(`/${name}${at}`))
  }
  counter.ask(1, 1, 'getChildren', { path: '/', watch: false })
  counter.ask(1, 2, 'exists', { path: '/', watch: false })
  expect(counter.heard()).toEqual(['1: 1 MarshallingError', '1: 2 ok'])
})

test('an ACL as long as a frame holds takes no time to speak of', { timeout: 60_000 }, () => {
  const machine = new Machine().open()
  const acl = Array.from({ length: 80_000 }, (_, perms) => ({
    perms,
    id: { scheme: 'world', id: 'anyone' },
  }))
  const since = performance.now()
  expect(machine.fate(ask.create('/a', 'persistent', acl))).toBe('granted')
  // Compared each with each they took ten seconds, alone on the machine.
  expect(performance.now() - since).toBeLessThan(5000)
})

test('an ACL of the same entry, many times, is stored once', () => {
  const machine = new Machine().open()
  const [entry] = aclOf(3)
  machine.run(ask.create('/a', 'persistent', Array(1000).fill(entry)))
  expect(machine.tree.get('/a')?.acl).toEqual([entry])
})

test(
  'paths as deep as anyone likes are counted, and covered by a quota',
  { timeout: 60_000 },
  () => {
    const machine = new Machine().open()
    let path = ''
    for (let depth = 0; depth < 9000; depth++) {
      path += '/d'
      machine.propose(ask.create(path))
      if (depth % 100 === 0) machine.apply()
    }
    machine.apply()
    expect(machine.tree.countBelow('/d')).toBe(8999)
    machine.run(ask.create('/zookeeper/quota/d'))
    machine.run(ask.create('/zookeeper/quota/d/zookeeper_limits'))
    machine.run(ask.create('/zookeeper/quota/d/zookeeper_stats'))
    const usage = machine.tree.get('/zookeeper/quota/d/zookeeper_stats')?.data
    expect(usage).toEqual(bytesOf('count=9000,bytes=9000'))
  },
)

test('what a session proves has an end: whoever says more is refused and let go', () => {
  const counter = new Counter().open()
  const auth = (xid: number, user: string): void =>
    counter.ask(1, xid, 'auth', { type: 0, scheme: 'digest', auth: bytesOf(`${user}:p`) })
  auth(1, 'u')
  expect(counter.heard()).toEqual(['1: proved', '1: 1 ok'])
  auth(2, 'v'.repeat(limits.identityBytesMax))
  expect(counter.heard()).toEqual(['1: 2 AuthFailed', '1: hangup'])
})

test('requests of a learner that are none are refused before the member moves', () => {
  const { replica, nowMs } = new TinyEnsemble({ heard: () => undefined, hungUp: () => undefined })
  const bytes = Uint8Array.of(1, 2, 3)
  expect(() => readForwarded(bytes)).toThrow(MalformedFrame)
  const before = replica.zab.committed
  const packets = [{ type: 'ping' }, { type: 'request', bytes }] as const
  expect(() => replica.receive(nowMs, { type: 'packets', link: 5, packets })).toThrow(
    MalformedFrame,
  )
  expect(replica.zab.committed).toBe(before)
  expect(replica.isServing).toBe(true)
})

test('what is proved is said once for all requests in a row', () => {
  const writer = new ForwardWriter()
  const [mine, others] = [[{ scheme: 'digest', id: 'm'.repeat(9000) }], []]
  const requests = [mine, mine, others, mine].map((identities, number) => ({
    number,
    session: 1n,
    attachment: 2,
    isLocal: false,
    identities,
    frame: Uint8Array.of(number),
  }))
  for (const request of requests) writer.add(request)
  expect(writer.byteLength).toBeLessThan(3 * 9000)
  expect(readForwarded(writer.take())).toEqual(requests)
  writer.add(requests[3] as Forwarded)
  expect(readForwarded(writer.take())).toEqual([requests[3]])
})

test('a first request whose proofs are those of the one before is malformed', () => {
  const writer = new ForwardWriter()
  writer.add({
    number: 1,
    session: 1n,
    attachment: 2,
    isLocal: false,
    identities: [],
    frame: new Uint8Array(1),
  })
  const bytes = writer.take()
  new DataView(bytes.buffer).setInt32(21, -1)
  expect(() => readForwarded(bytes)).toThrow(MalformedFrame)
})
