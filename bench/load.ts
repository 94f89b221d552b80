/**
 * `npm run load`: pipelining sessions read and write for a while, against our ensemble and, where it is installed,
 * against a 3-member Apache ZooKeeper on the same machine, by turns. Prints operations a second, errors and memory.
 *
 * SESSIONS (50), WINDOW (10 requests under way each), SECONDS (60, of get and set together), BYTES (100).
 */
import { readFileSync } from 'node:fs'
import { connect as dial, type Socket } from 'node:net'
import { encode } from '../src/core/jute/codec.ts'
import { CreateRequest, SetDataRequest, WatchedPathRequest } from '../src/core/jute/records.ts'
import { worldAnyone } from '../src/core/tree/tree.ts'
import { Deframer } from '../src/core/wire/deframer.ts'
import { opcodes } from '../src/core/wire/opcodes.ts'
import { connectRequest, request } from '../test/e2e/raw-client.ts'
import { startEnsemble } from '../test/support/ensemble.ts'
import { familyOf } from '../test/support/family.ts'
import { isInstalled } from '../test/support/programs.ts'
import { startZooKeeper } from '../test/support/zookeeper.ts'

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback)
const sessions = number('SESSIONS', 50)
const window = number('WINDOW', 10)
const seconds = number('SECONDS', 60)
const bytes = number('BYTES', 100)

/** One session that keeps `window` requests under way and checks every reply. */
class LoadSession {
  readonly #socket: Socket
  readonly #deframer = new Deframer(4 * 1024 * 1024)
  readonly #path: string
  #xid = 0
  #expected = 1
  #greeted: (() => void) | undefined
  #make: ((xid: number) => Uint8Array) | undefined
  replies = 0
  errors = 0
  #underWay = 0
  #idle: (() => void) | undefined

  constructor(port: number, path: string) {
    this.#path = path
    this.#socket = dial(port, '127.0.0.1')
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk: Buffer) => this.#take(this.#deframer.push(chunk)))
    this.#socket.on('error', () => (this.errors += 1))
    this.#socket.on('close', () => this.#idle?.())
  }

  async open(): Promise<void> {
    const greeted = new Promise<void>((resolve) => (this.#greeted = resolve))
    this.#socket.write(connectRequest(30_000))
    await greeted
    const body = { path: this.#path, data: new Uint8Array(bytes), acl: worldAnyone, flags: 0 }
    await this.run(() => encode(CreateRequest, body), opcodes.create.code, 1, Infinity)
    this.errors = 0
  }

  /** Sends until `untilMs` or `most` requests; resolves when all are answered. */
  async run(body: () => Uint8Array, code: number, most: number, untilMs: number): Promise<void> {
    const bodyBytes = body()
    let sent = 0
    this.#make = (xid) => request(xid, code, bodyBytes)
    const idle = new Promise<void>((resolve) => (this.#idle = resolve))
    this.#more = () => (sent += 1) <= most && performance.now() < untilMs
    this.#fill()
    await idle
  }

  close(): void {
    this.#socket.destroy()
  }

  #more: () => boolean = () => false

  #fill(): void {
    const frames: Uint8Array[] = []
    while (this.#underWay < window && this.#more()) {
      this.#xid += 1
      this.#underWay += 1
      frames.push((this.#make as (xid: number) => Uint8Array)(this.#xid))
    }
    if (frames.length > 0) this.#socket.write(Buffer.concat(frames))
    else if (this.#underWay === 0) this.#idle?.()
  }

  #take(frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      if (this.#greeted !== undefined) {
        this.#greeted()
        this.#greeted = undefined
        continue
      }
      const view = new DataView(frame.buffer, frame.byteOffset)
      if (view.getInt32(0) !== this.#expected || view.getInt32(12) !== 0) this.errors += 1
      this.#expected += 1
      this.#underWay -= 1
      this.replies += 1
    }
    if (frames.length > 0) this.#fill()
  }
}

interface Target {
  readonly name: string
  readonly ports: readonly number[]
  pids(): readonly number[]
}

interface Result {
  readonly perSecond: number
  readonly errors: number
}

async function measure(target: Target, kind: 'get' | 'set', forMs: number): Promise<Result> {
  const mark = `/load-${Date.now()}`
  const clients = Array.from({ length: sessions }, (_, at) => {
    const port = target.ports[at % target.ports.length] as number
    return new LoadSession(port, `${mark}-${at}`)
  })
  await Promise.all(clients.map((client) => client.open()))
  const body = (at: number) => () =>
    kind === 'get'
      ? encode(WatchedPathRequest, { path: `${mark}-${at}`, watch: false })
      : encode(SetDataRequest, { path: `${mark}-${at}`, data: new Uint8Array(bytes), version: -1 })
  for (const client of clients) client.replies = 0
  const since = performance.now()
  const code = kind === 'get' ? opcodes.getData.code : opcodes.setData.code
  await Promise.all(
    clients.map((client, at) => client.run(body(at), code, Infinity, since + forMs)),
  )
  const tookS = (performance.now() - since) / 1000
  const replies = clients.reduce((sum, client) => sum + client.replies, 0)
  const errors = clients.reduce((sum, client) => sum + client.errors, 0)
  for (const client of clients) client.close()
  return { perSecond: replies / tookS, errors }
}

/** Resident memory of processes, in MB. */
function memoryMb(pids: readonly number[]): number {
  let kb = 0
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    kb += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
  }
  return Math.round(kb / 1024)
}

const ensemble = await startEnsemble({ mode: 'serve', env: { TICK_TIME: '2000' } })
const apache = isInstalled.zooKeeper() ? await startZooKeeper({ members: 3 }) : undefined
const targets: Target[] = [
  { name: 'durable-keeper', ports: ensemble.zkPorts, pids: () => familyOf(ensemble.pid) },
]
if (apache === undefined) console.log('Apache ZooKeeper is not installed: nothing to compare with.')
else targets.push({ name: 'zookeeper', ports: apache.zkPorts, pids: () => apache.pids })

const rounds = 3
const sliceMs = (seconds * 1000) / (2 * rounds)
const figures = new Map<string, number[]>()
for (let round = 1; round <= rounds; round++) {
  for (const kind of ['get', 'set'] as const) {
    for (const target of targets) {
      const { perSecond, errors } = await measure(target, kind, sliceMs)
      const key = `${target.name} ${kind}`
      figures.set(key, [...(figures.get(key) ?? []), perSecond])
      const memory = memoryMb(target.pids())
      console.log(
        `${round}/${rounds} ${key.padEnd(20)} ${perSecond.toFixed(0).padStart(7)} ops/s  ` +
          `${errors} errors  ${memory} MB`,
      )
    }
  }
}
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
console.log(`median of ${rounds}, ${sessions} sessions × ${window} under way, ${bytes} bytes:`)
for (const kind of ['get', 'set']) {
  const ours = median(figures.get(`durable-keeper ${kind}`) ?? [])
  const theirs = median(figures.get(`zookeeper ${kind}`) ?? [])
  const ratio =
    theirs > 0 ? `, zookeeper ${theirs.toFixed(0)}, ratio ${(ours / theirs).toFixed(2)}` : ''
  console.log(`load/${kind} durable-keeper ${ours.toFixed(0)}${ratio}`)
}
await ensemble.stop()
await apache?.stop()
