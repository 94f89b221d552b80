/** Random requests: every operation, whole and damaged, allowed and not. */
import { operations } from '../../src/core/request/operations.ts'
import type { MultiOperation } from '../../src/core/wire/multi.ts'
import { createFlags, type Operation, opcodes, xids } from '../../src/core/wire/opcodes.ts'
import { hasUntimelyCreate } from './deliberate.ts'
import { type Ingredients, open } from './ingredients.ts'
import { bytesOf, type Request } from './script.ts'

/** Is it there, or refused for good? What is refused on purpose is asked for too. */
const isThere = (op: Operation): boolean =>
  operations[op].kind !== 'absent' || op === 'check' || op === 'createSession'

type Create = 'create' | 'create2' | 'createContainer'

export class Requests {
  readonly #some: Ingredients

  constructor(some: Ingredients) {
    this.#some = some
  }

  any(): Request {
    const some = this.#some
    const request = some.pick<Request>([
      [14, () => this.#create('create')],
      [5, () => this.#create('create2')],
      [2, () => this.#create('createContainer')],
      [3, () => ({ op: 'createTtl', body: this.#ttlBody() })],
      [9, () => this.#delete()],
      [10, () => this.setData()],
      [4, () => ({ op: 'setAcl', body: this.#aclBody() })],
      [3, () => ({ op: 'getAcl', body: { path: some.path() } })],
      [9, () => this.read('exists')],
      [9, () => this.read('getData')],
      [4, () => this.read('getChildren')],
      [5, () => this.read('getChildren2')],
      [2, () => ({ op: 'sync', body: { path: some.path() } })],
      [1, () => ({ op: 'ping', body: undefined, xid: xids.ping })],
      [8, () => this.multi()],
      [3, () => this.#multiRead()],
      [3, () => this.#setWatches()],
      [2, () => this.#setWatches2()],
      [9, () => this.#addWatch()],
      [3, () => ({ op: 'removeWatches', body: this.#watches() })],
      [3, () => ({ op: 'checkWatches', body: this.#watches() })],
      [2, () => ({ op: 'getEphemerals', body: { prefixPath: some.prefix() } })],
      [2, () => ({ op: 'getAllChildrenNumber', body: { path: some.path() } })],
      [1, () => ({ op: 'whoAmI', body: undefined })],
      [2, () => this.#auth()],
      [0.5, () => ({ op: 'sasl', body: { token: Buffer.from(some.of(['', 'token'])) } })],
      [1, () => ({ op: 'reconfig', body: this.#reconfig() })],
      [1, () => ({ op: 'deleteContainer', body: { path: some.path() } })],
    ])
    if (!isThere(request.op)) return this.any()
    // Whatever its number, a request is what its operation says.
    return some.below(100) === 0 ? { ...request, xid: some.of(oddXids) } : request
  }

  setData(): Request {
    return { op: 'setData', body: this.#setDataBody() }
  }

  multi(): Request {
    const some = this.#some
    const operation = (): MultiOperation => {
      const one = some.pick<MultiOperation>([
        [10, () => ({ operation: 'create', request: this.#createBody('create') })],
        [3, () => ({ operation: 'create2', request: this.#createBody('create2') })],
        [1, () => ({ operation: 'createContainer', request: this.#createBody('createContainer') })],
        [2, () => ({ operation: 'createTtl', request: this.#ttlBody() })],
        [5, () => ({ operation: 'delete', request: this.#delete().body })],
        [8, () => ({ operation: 'setData', request: this.#setDataBody() })],
        [8, () => ({ operation: 'check', request: this.#delete().body })],
        [0.3, () => ({ operation: 'setAcl', request: this.#aclBody() })],
        [0.3, () => ({ operation: 'getData', request: { path: some.path(), watch: false } })],
        [0.3, () => this.#strange()],
      ])
      return isThere(one.operation) ? one : operation()
    }
    return { op: 'multi', body: some.many(0, 5, operation) }
  }

  /** Quota nodes, their like, and what they say. `places` have quotas. */
  quota(): Request {
    const some = this.#some
    const place = `/zookeeper/quota${some.root}${some.of(quotaPlaces)}`
    const stats = `${place}/zookeeper_stats`
    const limits = `${place}/zookeeper_limits`
    const create = (path: string, text: string): Request => ({
      op: 'create',
      body: { path, data: Buffer.from(text), acl: open, flags: 0 },
    })
    return some.pick<Request>([
      [10, () => ({ op: 'getData', body: { path: stats, watch: some.below(2) === 0 } })],
      [2, () => ({ op: 'getData', body: { path: limits, watch: false } })],
      [
        4,
        () => {
          const data = Buffer.from(some.of(quotaTexts))
          return { op: 'setData', body: { path: limits, data, version: -1 } }
        },
      ],
      [1, () => ({ op: 'delete', body: { path: some.of([stats, limits]), version: -1 } })],
      [1, () => create(place, '')],
      [2, () => create(stats, 'count=0,bytes=0')],
      [2, () => create(limits, some.of(quotaTexts))],
    ])
  }

  /** A request cut short, filled up, without a path, or with a byte changed. */
  malformed(): Request {
    const some = this.#some
    const whole = some.below(6) === 0 ? this.#strangeMulti() : this.any()
    if (isNeverDamaged.has(whole.op) || hasUntimelyCreate(whole)) return this.malformed()
    const bytes = bytesOf(whole, 0, 0).subarray(12)
    if (isDelicate.has(whole.op)) {
      return { ...whole, raw: bytes.subarray(0, some.below(bytes.length)) }
    }
    const raw = some.pick<Uint8Array>([
      [4, () => bytes.subarray(0, some.below(bytes.length + 1))],
      [1, () => Buffer.concat([bytes, new Uint8Array(some.below(9) + 1)])],
      [beginsWithPath(whole) ? 1 : 0, () => withoutPath(bytes)],
      [isMulti.has(whole.op) ? 0 : 3, () => this.#changed(bytes)],
    ])
    return { ...whole, raw }
  }

  unknown(): Request {
    const some = this.#some
    if (some.below(3) === 0) {
      return { op: 'check', body: { path: some.path(), version: some.version() } }
    }
    if (some.below(5) === 0) return { op: 'createSession', body: { timeOut: 30_000 } }
    const code = some.of([0, 10, 23, 99, 108, 500, 999, -2, -100, 0x7fff_ffff])
    return { op: 'ping', body: undefined, code }
  }

  #create(op: Create): Request {
    return { op, body: this.#createBody(op) }
  }

  #createBody(op: Create): object {
    const some = this.#some
    const isPlain = op === 'createContainer' && some.below(4) > 0
    const flags = isPlain ? createFlags.container : some.flags()
    const path = (flags & 2) === 2 && flags < 4 ? some.sequential() : some.path()
    return { path, data: some.data(), acl: some.acl(), flags }
  }

  #ttlBody(): object {
    const some = this.#some
    const flags = some.of([5, 5, 5, 6, 6, 0, 1, 4])
    const ttl = some.of([600_000, 600_000, 600_000, 1_099_511_627_775, 0, -1, 1_099_511_627_776])
    const path = flags === 6 ? some.sequential() : some.path()
    return { path, data: some.data(), acl: some.acl(), flags, ttl }
  }

  #delete(): Request {
    return { op: 'delete', body: { path: this.#some.path(), version: this.#some.version() } }
  }

  #setDataBody(): object {
    const some = this.#some
    return { path: some.path(), data: some.data(), version: some.version() }
  }

  #aclBody(): object {
    const some = this.#some
    return { path: some.path(), acl: some.acl(), version: some.version() }
  }

  read(op: 'exists' | 'getData' | 'getChildren' | 'getChildren2'): Request {
    return { op, body: { path: this.#some.path(), watch: this.#some.below(5) < 3 } }
  }

  #multiRead(): Request {
    const some = this.#some
    const operation = (): MultiOperation => {
      if (some.below(40) === 0) return this.#strange()
      return {
        operation: some.of(['getData', 'getData', 'getChildren']),
        request: { path: some.path(), watch: some.below(2) === 0 },
      }
    }
    return { op: 'multiRead', body: some.many(0, 4, operation) }
  }

  /** No operation of a multi, or none of this one. */
  #strange(): MultiOperation {
    const some = this.#some
    return some.of<MultiOperation>([
      { operation: 'exists', request: { path: some.path(), watch: false } },
      { operation: 'getChildren', request: { path: some.path(), watch: false } },
      { operation: 'getChildren2', request: { path: some.path(), watch: false } },
      { operation: 'sync', request: { path: some.path() } },
      { operation: 'setAcl', request: this.#aclBody() },
      { operation: 'delete', request: this.#delete().body },
      { operation: 'multi', request: undefined },
      { operation: 'ping', request: undefined },
      { operation: 'closeSession', request: undefined },
      { operation: 'whoAmI', request: undefined },
    ])
  }

  /** A multi or a multiRead among whose operations is a strange one. */
  #strangeMulti(): Request {
    const whole = this.#some.of([this.multi(), this.#multiRead()])
    const asked = whole.body as readonly MultiOperation[]
    const at = this.#some.below(asked.length + 1)
    return { ...whole, body: asked.toSpliced(at, 0, this.#strange()) }
  }

  #setWatches(): Request {
    return { op: 'setWatches', body: this.#setWatchesBody(), xid: xids.setWatches }
  }

  #setWatches2(): Request {
    const some = this.#some
    const body = {
      ...this.#setWatchesBody(),
      persistentWatches: some.many(0, 3, () => some.path()),
      persistentRecursiveWatches: some.many(0, 3, () => some.path()),
    }
    return { op: 'setWatches2', body, xid: xids.setWatches }
  }

  #setWatchesBody(): object {
    const some = this.#some
    return {
      relativeZxid: some.pick([
        [4, () => some.below(60)],
        [4, () => some.below(3000)],
        [1, () => -1],
        [1, () => 1_000_000],
      ]),
      dataWatches: some.many(0, 3, () => some.path()),
      existWatches: some.many(0, 3, () => some.path()),
      childWatches: some.many(0, 3, () => some.path()),
    }
  }

  #addWatch(): Request {
    const mode = this.#some.of([0, 0, 0, 1, 1, 1, 1, 2, -1])
    return { op: 'addWatch', body: { path: this.#some.path(), mode } }
  }

  #watches(): object {
    return { path: this.#some.path(), type: this.#some.of([1, 2, 3, 3, 4, 5, 4, 5, 0, 6, -1]) }
  }

  #auth(): Request {
    const [scheme, auth] = this.#some.of([
      ['digest', 'u0:p'],
      ['digest', 'u1:p'],
      ['digest', 'u0:p'],
      ['digest', 'u1:p'],
      ['digest', 'super:secret'],
      ['digest', 'nocolon'],
      ['digest', ':'],
      ['ip', ''],
      ['world', 'anyone'],
      ['nothing', 'x'],
    ] as const)
    return { op: 'auth', body: { type: 0, scheme, auth: Buffer.from(auth) }, xid: xids.auth }
  }

  #reconfig(): object {
    const [joiningServers, leavingServers, newMembers, curConfigId] = this.#some.of([
      [null, '3', null, -1],
      ['server.4=127.0.0.1:1:2;3', null, null, -1],
      [null, null, 'server.1=127.0.0.1:1:2;3', 0],
      [null, null, null, 7],
      ['x', 'y', 'z', -1],
    ] as const)
    return { joiningServers, leavingServers, newMembers, curConfigId }
  }

  #changed(bytes: Uint8Array): Uint8Array {
    const some = this.#some
    const changed = Uint8Array.from(bytes)
    if (changed.length > 0) changed[some.below(changed.length)] = some.of([0, 1, 0x2f, 0x7f, 255])
    return changed
  }
}

const isMulti: ReadonlySet<Operation> = new Set(['multi', 'multiRead'])

/** A change of these may ask for what is answered otherwise on purpose, or for what the script cannot keep in mind. */
const isDelicate: ReadonlySet<Operation> = new Set([
  'setWatches',
  'setWatches2',
  'addWatch',
  'removeWatches',
  'checkWatches',
  'createTtl',
])
/** Answered otherwise on purpose, whatever the bytes. */
const isNeverDamaged: ReadonlySet<Operation> = new Set([
  'deleteContainer',
  'auth',
  'sasl',
  'reconfig',
])

const beginsWithPath = ({ op }: Request): boolean =>
  opcodes[op].code < 100 && !isMulti.has(op) && op !== 'ping' && op !== 'closeSession'

/** The path is null in place of what it was. */
function withoutPath(bytes: Uint8Array): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0)
  const none = Uint8Array.of(255, 255, 255, 255)
  return Buffer.concat([none, bytes.subarray(4 + length)])
}

/** The numbers of pings, packets of watches and of authentication among them; −1 would look like an event. */
const oddXids = [0, -2, -3, -4, -8, 1, 0x7fff_ffff, -0x8000_0000] as const

/** Below the script's root. The last lies below the first. */
const quotaPlaces = ['/a', '/a', '/a', '/b', '/a/x'] as const
const quotaTexts = [
  'count=-1,bytes=-1=;byteHardLimit=40;countHardLimit=6',
  'count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=4',
  'count=-1,bytes=-1=;byteHardLimit=20;countHardLimit=-1',
  'count=1,bytes=1',
  'count=2,bytes=10=;byteHardLimit=30;countHardLimit=5',
  'count=-1,bytes=-1',
] as const
