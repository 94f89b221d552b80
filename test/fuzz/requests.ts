/** Requests that a client may really send, of every operation, about few paths: so that they meet. */
import { encode, Reader, Writer } from '../../src/core/jute/codec.ts'
import { ConnectRequest } from '../../src/core/jute/records.ts'
import type { Random } from '../../src/core/shared/random.ts'
import { type MultiOperation, writeMultiRequest } from '../../src/core/wire/multi.ts'
import { type Operation, opcodes } from '../../src/core/wire/opcodes.ts'
import { writeRequest } from '../../src/core/wire/packets.ts'
import { captures } from '../wire/capture.ts'

const pick = <T>(of: readonly T[], random: Random): T => of[random.next() % of.length] as T

const paths = [
  '/',
  '/a',
  '/a',
  '/a/b',
  '/a/b',
  '/a/b/c',
  '/b',
  '/b/c',
  '/c',
  '/s-',
  '/a/s-',
  '/ü/€',
  '/ü',
  '',
  'a',
  'a/b',
  '//a',
  '/a/',
  '/a//b',
  '/.',
  '/a/..',
  '/\0',
  '/\ud800',
  '/zookeeper',
  '/zookeeper/quota',
  '/zookeeper/config',
  '/zookeeper/quota/a',
  '/zookeeper/quota/a/b',
  '/zookeeper/quota/a/zookeeper_limits',
  '/zookeeper/quota/a/zookeeper_stats',
  '/zookeeper/quota/a/b/zookeeper_limits',
  '/zookeeper/quota/a/b/zookeeper_stats',
]
const world = { perms: 31, id: { scheme: 'world', id: 'anyone' } }
const acls = [
  [world],
  [world],
  [world],
  [],
  [{ perms: 31, id: { scheme: 'auth', id: '' } }],
  [{ perms: 1, id: { scheme: 'digest', id: 'u:hash' } }, world],
  [
    { perms: 31, id: { scheme: 'ip', id: '127.0.0.1/8' } },
    { perms: 3, id: { scheme: 'ip', id: 'fe80::/10' } },
  ],
  [{ perms: -1, id: { scheme: 'x509', id: 'CN=a' } }],
  [{ perms: 31, id: { scheme: 'nobody', id: 'x' } }],
]
const encoder = new TextEncoder()
const contents = [
  null,
  new Uint8Array(0),
  new Uint8Array(9).fill(7),
  new Uint8Array(700).fill(1),
  encoder.encode('count=2,bytes=100=;byteHardLimit=50;countHardLimit=1'),
  encoder.encode('count=99999999999999999999999,bytes=-9'),
]
const flags = [0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, -1]
const versions = [-1, -1, 0, 1, 2, 0x7fff_ffff]
const longs = [0, 1, 5000, -1, 2 ** 40 - 1, 2 ** 40, 2 ** 53]

type Draw = (random: Random) => unknown

const path: Draw = (random) => pick(paths, random)
const someOf = (random: Random): string[] =>
  Array.from({ length: random.next() % 4 }, () => pick(paths, random))
const pathOnly: Draw = (random) => ({ path: path(random) })
const watched: Draw = (random) => ({ path: path(random), watch: random.next() % 2 === 0 })
const versioned: Draw = (random) => ({ path: path(random), version: pick(versions, random) })
const created = (random: Random) => ({
  path: path(random),
  data: pick(contents, random),
  acl: pick(acls, random),
  flags: pick(flags, random),
})
const watches = (random: Random) => ({
  relativeZxid: pick([0, 2 ** 32, 2 ** 33, -1, 2 ** 53], random),
  dataWatches: someOf(random),
  existWatches: someOf(random),
  childWatches: someOf(random),
})
const ofWatches: Draw = (random) => ({ path: path(random), type: random.next() % 7 })
const nothing: Draw = () => undefined

const bodies: Readonly<Record<Exclude<Operation, 'multi' | 'multiRead'>, Draw>> = {
  create: created,
  create2: created,
  createContainer: created,
  createTtl: (random) => ({ ...created(random), ttl: pick(longs, random) }),
  delete: versioned,
  deleteContainer: pathOnly,
  exists: watched,
  getData: watched,
  getChildren: watched,
  getChildren2: watched,
  setData: (random) => ({
    path: path(random),
    data: pick(contents, random),
    version: pick(versions, random),
  }),
  getAcl: pathOnly,
  setAcl: (random) => ({
    path: path(random),
    acl: pick(acls, random),
    version: pick(versions, random),
  }),
  sync: pathOnly,
  ping: nothing,
  check: versioned,
  reconfig: () => ({ joiningServers: 'x', leavingServers: null, newMembers: '', curConfigId: -1 }),
  checkWatches: ofWatches,
  removeWatches: ofWatches,
  auth: (random) => ({
    type: 0,
    scheme: pick(['digest', 'digest', 'ip', 'sasl', 'world'], random),
    auth: pick([null, encoder.encode('u:p'), encoder.encode('v'), encoder.encode(':')], random),
  }),
  setWatches: watches,
  setWatches2: (random) => ({
    ...watches(random),
    persistentWatches: someOf(random),
    persistentRecursiveWatches: someOf(random),
  }),
  sasl: () => ({ token: null }),
  getEphemerals: (random) => ({ prefixPath: pick([null, '', '/', '/a', ...paths], random) }),
  getAllChildrenNumber: pathOnly,
  addWatch: (random) => ({ path: path(random), mode: random.next() % 3 }),
  whoAmI: nothing,
  createSession: () => ({ timeOut: 5000 }),
  closeSession: nothing,
}

/** Those that end a session come seldom, or every session would be short. */
const rarely: ReadonlySet<Operation> = new Set(['closeSession', 'createSession', 'check', 'auth'])
const often = (Object.keys(opcodes) as Operation[]).filter((operation) => !rarely.has(operation))
const inMulti = ['create', 'create2', 'createContainer', 'createTtl', 'delete', 'setData', 'check']
const captured = captures
  .flatMap(({ links }) => links.flat())
  .filter(({ from, handshake }) => from === 'client' && !handshake)

/** A frame without its length. */
export function someRequest(xid: number, random: Random): Uint8Array {
  const chance = random.next() % 200
  if (chance < 10) return pick(captured, random).bytes
  const operation = chance < 16 ? pick([...rarely], random) : pick(often, random)
  if (operation === 'multi' || operation === 'multiRead') return multi(xid, operation, random)
  return writeRequest(xid, operation, bodies[operation](random) as never).subarray(4)
}

function multi(xid: number, operation: 'multi' | 'multiRead', random: Random): Uint8Array {
  const allowed = operation === 'multi' ? inMulti : ['getData', 'getChildren']
  const parts = Array.from({ length: random.next() % 5 }, (): MultiOperation => {
    const part = pick(allowed, random) as keyof typeof bodies
    return { operation: part, request: bodies[part](random) }
  })
  const writer = new Writer()
  writer.int(xid)
  writer.int(opcodes[operation].code)
  writeMultiRequest(writer, parts)
  return writer.take()
}

/** A client's first frame, without its length. */
export const hello = (sessionId = 0n, passwd = new Uint8Array(16)): Uint8Array =>
  encode(ConnectRequest, {
    protocolVersion: 0,
    lastZxidSeen: 0,
    timeOut: 10_000,
    sessionId,
    passwd,
    readOnly: false,
  })

/** The operation and the xid that a frame asks for, as far as it has them. */
export function headOf(frame: Uint8Array): { readonly xid: number; readonly type: number } {
  const reader = new Reader(frame)
  return frame.length < 8 ? { xid: 0, type: 0 } : { xid: reader.int(), type: reader.int() }
}
