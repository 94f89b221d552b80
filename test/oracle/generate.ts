/** Random scripts: a few paths, so that operations meet; faults among them; everything from one seed. */
import type { Acl } from '../../src/core/jute/records.ts'
import { operations } from '../../src/core/request/operations.ts'
import { Random } from '../../src/core/shared/random.ts'
import type { MultiOperation } from '../../src/core/wire/multi.ts'
import { createFlags, type Operation, xids } from '../../src/core/wire/opcodes.ts'
import { bytesOf, type Request, type Step } from './script.ts'

export interface Recipe {
  readonly seed: number
  /** Counted: each request of a burst is one. */
  readonly operations: number
  readonly sessions: number
  /** Everything happens below this node. Another of the same length gives the same script elsewhere. */
  readonly root: string
}

export const countOf = (step: Step): number => (step.act === 'ask' ? step.requests.length : 1)

export function generate({ seed, operations: wanted, sessions, root }: Recipe): Step[] {
  const writer = new Scriptwriter(new Random(seed), root, sessions, seed % 4 === 0)
  const steps = writer.opening()
  for (let count = 0; count < wanted;) {
    const step = writer.step()
    steps.push(step)
    count += countOf(step)
  }
  return steps
}

/** Is it there yet, or refused for good? What is refused on purpose is asked for too. */
const isThere = (op: Operation): boolean =>
  operations[op].kind !== 'absent' || op === 'check' || op === 'createSession'

type Choice<T> = readonly [weight: number, make: () => T]

class Scriptwriter {
  readonly #random: Random
  readonly #root: string
  readonly #sessions: number
  /** A hard quota lies on a part of the tree; then nothing is pipelined. */
  readonly #hasQuota: boolean

  constructor(random: Random, root: string, sessions: number, hasQuota: boolean) {
    this.#hasQuota = hasQuota
    this.#random = random
    this.#root = root
    this.#sessions = sessions
  }

  opening(): Step[] {
    const root = this.#root
    const quota = `/zookeeper/quota${root}`
    const nodes: readonly (readonly [string, string])[] = [
      [root, ''],
      [`${root}/a`, ''],
      [`${root}/b`, ''],
      [quota, ''],
      [`${quota}/a`, ''],
      [`${quota}/a/zookeeper_limits`, 'count=-1,bytes=-1=;byteHardLimit=40;countHardLimit=6'],
      [`${quota}/a/zookeeper_stats`, 'count=0,bytes=0'],
    ]
    return nodes.slice(0, this.#hasQuota ? nodes.length : 3).map(([path, text]) => ({
      act: 'ask',
      session: 0,
      requests: [{ op: 'create', body: { path, data: Buffer.from(text), acl: open, flags: 0 } }],
    }))
  }

  step(): Step {
    const session = this.#below(this.#sessions)
    const ask = (...requests: readonly Request[]): Step => ({ act: 'ask', session, requests })
    return this.#pick<Step>([
      [70, () => ask(this.#request())],
      [this.#hasQuota ? 10 : 0, () => ask(this.#quota())],
      [
        this.#hasQuota ? 0 : 14,
        () => ask(...this.#many(2, 8, () => this.#request()).filter(isInOrder)),
      ],
      [4, () => ask(this.#malformed())],
      [1, () => ask(this.#unknown())],
      [1, () => ({ act: 'bytes', session, bytes: this.#noFrame() })],
      [3, () => ({ act: 'drop', session })],
      [3, () => ({ act: 'resume', session, timeoutMs: this.#timeout() })],
      [2, () => ask({ op: 'closeSession', body: undefined })],
      [1, () => ({ act: 'intrude', session, as: this.#intruder() })],
    ])
  }

  #request(): Request {
    const request = this.#pick<Request>([
      [14, () => this.#create('create')],
      [5, () => this.#create('create2')],
      [2, () => this.#create('createContainer')],
      [3, () => this.#createTtl()],
      [9, () => this.#delete()],
      [10, () => this.#setData()],
      [4, () => ({ op: 'setAcl', body: this.#aclBody() })],
      [3, () => ({ op: 'getAcl', body: { path: this.#path() } })],
      [9, () => this.#read('exists')],
      [9, () => this.#read('getData')],
      [4, () => this.#read('getChildren')],
      [5, () => this.#read('getChildren2')],
      [2, () => ({ op: 'sync', body: { path: this.#path() } })],
      [1, () => ({ op: 'ping', body: undefined, xid: xids.ping })],
      [8, () => this.#multi()],
      [3, () => this.#multiRead()],
      [3, () => this.#setWatches()],
      [2, () => this.#setWatches2()],
      [9, () => this.#addWatch()],
      [3, () => ({ op: 'removeWatches', body: this.#watches() })],
      [3, () => ({ op: 'checkWatches', body: this.#watches() })],
      [2, () => ({ op: 'getEphemerals', body: { prefixPath: this.#prefix() } })],
      [2, () => ({ op: 'getAllChildrenNumber', body: { path: this.#path() } })],
      [1, () => ({ op: 'whoAmI', body: undefined })],
      [2, () => this.#auth()],
      [1, () => ({ op: 'reconfig', body: reconfig })],
      [1, () => ({ op: 'deleteContainer', body: { path: this.#path() } })],
    ])
    return isThere(request.op) ? request : this.#request()
  }

  #create(op: 'create' | 'create2' | 'createContainer'): Request {
    return { op, body: this.#createBody(op) }
  }

  #createBody(op: 'create' | 'create2' | 'createContainer'): object {
    const isPlain = op === 'createContainer' && this.#below(4) > 0
    const flags = isPlain ? createFlags.container : this.#flags()
    const path = (flags & 2) === 2 && flags < 4 ? this.#sequential() : this.#path()
    return { path, data: this.#data(), acl: this.#acl(), flags }
  }

  #createTtl(): Request {
    return { op: 'createTtl', body: this.#ttlBody() }
  }

  #ttlBody(): object {
    const flags = this.#of([5, 5, 5, 6, 6, 0, 1, 4])
    const ttl = this.#of([600_000, 600_000, 600_000, 1_099_511_627_775, 0, -1, 1_099_511_627_776])
    const path = flags === 6 ? this.#sequential() : this.#path()
    return { path, data: this.#data(), acl: this.#acl(), flags, ttl }
  }

  #delete(): Request {
    return { op: 'delete', body: { path: this.#path(), version: this.#version() } }
  }

  #setData(): Request {
    return { op: 'setData', body: this.#setDataBody() }
  }

  #setDataBody(): object {
    return { path: this.#path(), data: this.#data(), version: this.#version() }
  }

  #aclBody(): object {
    return { path: this.#path(), acl: this.#acl(), version: this.#version() }
  }

  #read(op: 'exists' | 'getData' | 'getChildren' | 'getChildren2'): Request {
    return { op, body: { path: this.#path(), watch: this.#below(5) < 3 } }
  }

  #multi(): Request {
    const operation = (): { operation: Operation; request: unknown } => {
      const one = this.#pick<{ operation: Operation; request: unknown }>([
        [10, () => ({ operation: 'create', request: this.#createBody('create') })],
        [3, () => ({ operation: 'create2', request: this.#createBody('create2') })],
        [1, () => ({ operation: 'createContainer', request: this.#createBody('createContainer') })],
        [2, () => ({ operation: 'createTtl', request: this.#ttlInMulti() })],
        [5, () => ({ operation: 'delete', request: this.#delete().body })],
        [8, () => ({ operation: 'setData', request: this.#setDataBody() })],
        [8, () => ({ operation: 'check', request: this.#delete().body })],
        [0.3, () => ({ operation: 'setAcl', request: this.#aclBody() })],
        [0.3, () => ({ operation: 'getData', request: { path: this.#path(), watch: false } })],
      ])
      return isThere(one.operation) ? one : operation()
    }
    return { op: 'multi', body: this.#many(0, 5, operation) }
  }

  /** With a flag of its own only: ZooKeeper reads any other as a create without TTL. */
  #ttlInMulti(): object {
    return { ...this.#ttlBody(), flags: this.#of([5, 5, 6]) }
  }

  #multiRead(): Request {
    const operation = (): { operation: Operation; request: unknown } => ({
      operation: this.#of(['getData', 'getData', 'getChildren']),
      request: { path: this.#path(), watch: this.#below(2) === 0 },
    })
    return { op: 'multiRead', body: this.#many(0, 4, operation) }
  }

  #quota(): Request {
    const quota = `/zookeeper/quota${this.#root}/a`
    const stats = `${quota}/zookeeper_stats`
    const limits = `${quota}/zookeeper_limits`
    const create = (path: string, text: string): Request => ({
      op: 'create',
      body: { path, data: Buffer.from(text), acl: open, flags: 0 },
    })
    return this.#pick<Request>([
      [10, () => ({ op: 'getData', body: { path: stats, watch: this.#below(2) === 0 } })],
      [2, () => ({ op: 'getData', body: { path: limits, watch: false } })],
      [
        4,
        () => {
          const data = Buffer.from(this.#of(quotaTexts))
          return { op: 'setData', body: { path: limits, data, version: -1 } }
        },
      ],
      [1, () => ({ op: 'delete', body: { path: this.#of([stats, limits]), version: -1 } })],
      [2, () => create(stats, 'count=0,bytes=0')],
      [2, () => create(limits, this.#of(quotaTexts))],
    ])
  }

  #setWatches(): Request {
    return { op: 'setWatches', body: this.#setWatchesBody(), xid: xids.setWatches }
  }

  #setWatches2(): Request {
    const body = {
      ...this.#setWatchesBody(),
      persistentWatches: this.#many(0, 3, () => this.#path()),
      persistentRecursiveWatches: this.#many(0, 3, () => this.#path()),
    }
    return { op: 'setWatches2', body, xid: xids.setWatches }
  }

  #setWatchesBody(): object {
    return {
      relativeZxid: this.#below(this.#below(2) === 0 ? 60 : 3000),
      dataWatches: this.#many(0, 3, () => this.#path()),
      existWatches: this.#many(0, 3, () => this.#path()),
      childWatches: this.#many(0, 3, () => this.#path()),
    }
  }

  #addWatch(): Request {
    return {
      op: 'addWatch',
      body: { path: this.#path(), mode: this.#of([0, 0, 0, 1, 1, 1, 1, 2]) },
    }
  }

  #watches(): object {
    return { path: this.#path(), type: this.#of([1, 2, 3, 3, 4, 5, 4, 5, 0, 6]) }
  }

  #auth(): Request {
    const [scheme, auth] = this.#of([
      ['digest', 'u0:p'],
      ['digest', 'u1:p'],
      ['digest', 'u0:p'],
      ['digest', 'u1:p'],
      ['digest', 'super:secret'],
      ['digest', 'nocolon'],
      ['ip', ''],
      ['world', 'anyone'],
      ['nothing', 'x'],
    ] as const)
    return { op: 'auth', body: { type: 0, scheme, auth: Buffer.from(auth) }, xid: xids.auth }
  }

  /** A request cut short, filled up, or with a byte changed. */
  #malformed(): Request {
    const whole = this.#request()
    if (isDelicate.has(whole.op)) return this.#malformed()
    const bytes = bytesOf(whole, 0, 0).subarray(12)
    const raw = this.#pick<Uint8Array>([
      [4, () => bytes.subarray(0, this.#below(bytes.length + 1))],
      [1, () => Buffer.concat([bytes, new Uint8Array(this.#below(9) + 1)])],
      [isMulti.has(whole.op) ? 0 : 3, () => this.#changed(bytes)],
    ])
    return { ...whole, raw }
  }

  #changed(bytes: Uint8Array): Uint8Array {
    const changed = Uint8Array.from(bytes)
    if (changed.length > 0) changed[this.#below(changed.length)] = this.#of([0, 1, 0x2f, 0x7f, 255])
    return changed
  }

  #unknown(): Request {
    if (this.#below(3) === 0) {
      return { op: 'check', body: { path: this.#path(), version: this.#version() } }
    }
    if (this.#below(5) === 0) return { op: 'createSession', body: { timeOut: 30_000 } }
    const code = this.#of([0, 10, 23, 99, 108, 500, 999, -2, -100, 0x7fff_ffff])
    return { op: 'ping', body: undefined, code }
  }

  #noFrame(): Uint8Array {
    const length = this.#of([-5, 0, -1, 0x7fff_ffff, 1_048_576, -0x8000_0000])
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setInt32(0, length)
    return bytes
  }

  #path(): string {
    const root = this.#root
    return this.#pick<string>([
      [3, () => root],
      [12, () => `${root}/a`],
      [8, () => `${root}/b`],
      [10, () => `${root}/a/x`],
      [8, () => `${root}/a/y`],
      [6, () => `${root}/a/x/z`],
      [4, () => `${root}/b/x`],
      [6, () => `${root}/e`],
      [2, () => `${root}/e/x`],
      [8, () => `${this.#parent()}/s-${String(this.#below(6)).padStart(10, '0')}`],
      [1, () => '/'],
      [1, () => this.#of(['/zookeeper', '/zookeeper/quota', '/zookeeper/missing'])],
      [2, () => this.#of(['', 'x', '//', '/.', '/..', `${root}/`, `${root}//a`, `${root}/a/`])],
      [1, () => `${root}/${this.#of(['.', '..', './a', '../a', '...', '.a', 'a.', 'a/.'])}`],
      [1, () => `${root}/a${String.fromCharCode(this.#of(oddCharacters))}`],
      [0.3, () => `${root}/😀`],
      [0.5, () => `${root}/grün 数`],
    ])
  }

  #parent(): string {
    return this.#root + this.#of(['', '/a', '/b'])
  }

  #sequential(): string {
    return this.#pick<string>([
      [8, () => `${this.#parent()}/s-`],
      [2, () => this.#path()],
      [1, () => `${this.#parent()}/`],
    ])
  }

  #prefix(): string {
    return this.#of(['/', this.#root, `${this.#root}/`, `${this.#root}/a`, '', 'x', '/nothing'])
  }

  #flags(): number {
    return this.#of([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, -1, 99])
  }

  #version(): number {
    return this.#of([-1, -1, -1, -1, -1, 0, 0, 0, 1, 1, 2, 3, -2, 0x7fff_ffff, -0x8000_0000])
  }

  #data(): Uint8Array | null {
    return this.#pick<Uint8Array | null>([
      [2, () => null],
      [2, () => new Uint8Array(0)],
      [6, () => Buffer.from(`d${this.#below(100)}`)],
      [1, () => new Uint8Array(this.#below(2000)).fill(0x61)],
    ])
  }

  #acl(): readonly Acl[] {
    if (this.#below(4) > 0) return open
    return this.#pick<readonly Acl[]>([
      [8, () => [world(this.#of([0, 1, 2, 4, 8, 15, 16, 23, 27, 29, 30, 31, 63, -1]))]],
      [2, () => [world(1), world(30)]],
      [2, () => [world(31), world(31), world(1)]],
      [1, () => []],
      [1, () => [entry(31, 'world', 'somebody')]],
      [1, () => [entry(31, 'nothing', 'x')]],
      ...(isThere('auth') ? this.#acls() : []),
    ])
  }

  #acls(): readonly Choice<readonly Acl[]>[] {
    const perms = this.#of([31, 31, 31, 1, 2, 16, 0])
    return [
      [3, () => [entry(perms, 'auth', this.#of(['', 'ignored']))]],
      [3, () => [entry(31, 'digest', this.#of(digests)), world(1)]],
      [3, () => [entry(perms, 'digest', this.#of(digests))]],
      [1, () => [entry(31, 'digest', this.#of(['u0', 'a:b:c', '', ':', 'u0:', ':x', 'u0::']))]],
      [3, () => [entry(perms, 'ip', this.#of(addresses))]],
      [1, () => [entry(31, 'ip', this.#of(noAddresses))]],
      [1, () => [entry(31, 'super', ''), world(31)]],
      [1, () => [entry(31, this.#of(['sasl', 'x509', 'WORLD', '']), 'x')]],
    ]
  }

  #intruder(): 'thief' | 'stranger' | 'ghost' | 'prophet' {
    return this.#of(['thief', 'stranger', 'ghost', 'prophet'])
  }

  #timeout(): number {
    return this.#of([40_000, 40_000, 20_000, 0, 1, -1, 9_999_999])
  }

  #many<T>(from: number, to: number, make: () => T): T[] {
    return Array.from({ length: this.#random.between(from, to) }, make)
  }

  #below(count: number): number {
    return this.#random.next() % count
  }

  #of<const T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T
  }

  #pick<T>(choices: readonly Choice<T>[]): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0)
    let left = (this.#random.next() / 0x1_0000_0000) * total
    for (const [weight, make] of choices) {
      left -= weight
      if (left < 0) return make()
    }
    throw new Error('a choice has weight')
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
  'deleteContainer',
  'auth',
  'reconfig',
])

/** May others be asked right behind it, or right before? See `avoided` in deliberate.ts. */
const isInOrder = ({ op, body }: Request): boolean =>
  op !== 'auth' &&
  op !== 'setAcl' &&
  !(op === 'multi' && (body as readonly MultiOperation[]).some(lacksTtl))

function lacksTtl({ operation, request }: MultiOperation): boolean {
  const { flags } = request as { readonly flags?: number }
  return operation !== 'createTtl' && (flags === 5 || flags === 6)
}

const entry = (perms: number, scheme: string, id: string): Acl => ({ perms, id: { scheme, id } })
const world = (perms: number): Acl => entry(perms, 'world', 'anyone')
const open: readonly Acl[] = [world(31)]

/** u0:p and u1:p */
const digests = ['u0:DIpnEgFj6vM9ScYgMWbYOXVpTe8=', 'u1:FfP80c+zcEPgU6zorph629PDPJ0='] as const
const addresses = ['127.0.0.1', '127.0.0.0/8', '10.0.0.0/8', '127.0.0.1/32', '0.0.0.0/0'] as const
const noAddresses = [
  '127.0.0',
  'localhost',
  '127.0.0.1/33',
  '127.0.0.1/x',
  '',
  '256.0.0.1',
] as const
const quotaTexts = [
  'count=-1,bytes=-1=;byteHardLimit=40;countHardLimit=6',
  'count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=4',
  'count=-1,bytes=-1=;byteHardLimit=20;countHardLimit=-1',
  'count=1,bytes=1',
] as const
const oddCharacters = [
  0, 1, 0x1f, 0x20, 0x7e, 0x7f, 0x9f, 0xa0, 0xd7ff, 0xe000, 0xf8ff, 0xf900, 0xffef, 0xfff0, 0xfffd,
] as const
const reconfig = {
  joiningServers: null,
  leavingServers: '3',
  newMembers: null,
  curConfigId: -1,
} as const
