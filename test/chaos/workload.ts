/** Clients that write, read, count, lock and leave, and put everything they are told into the history. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, connect, ZooKeeperError } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { HoldLost, Lock } from '../../src/recipes/index.ts'
import { type History, Monotonic } from './history.ts'

/** Sessions as long as these must never be lost. */
export const longTimeoutMs = 30_000
/** Sessions that are left alone end after this and a little. */
const leftTimeoutMs = 4000
const root = '/chaos'

export interface WorkloadOptions {
  readonly writers: number
  readonly readers: number
  readonly lockers: number
  /** Pause of a writer between two writes, ms: many clients at full speed would only measure the machine. */
  readonly thinkMs: number
}

export class Workload {
  readonly #history: History
  readonly #urls: readonly string[]
  readonly #options: WorkloadOptions
  readonly #clients: { readonly name: string; readonly client: Client }[] = []
  readonly #loops: Promise<void>[] = []
  readonly #left: bigint[] = []
  #isOver = false
  counted = 0
  countedUnknown = 0

  constructor(history: History, ports: readonly number[], options: WorkloadOptions) {
    this.#history = history
    this.#urls = ports.map((port) => `tcp://127.0.0.1:${port}`)
    this.#options = options
  }

  get sessions(): number {
    return this.#clients.length
  }

  async begin(): Promise<void> {
    const setup = this.#open('setup')
    for (const path of [root, ...['w', 'seq', 'live', 'lock'].map((name) => `${root}/${name}`)]) {
      await setup.create(path)
    }
    for (const path of ['fence', 'count']) await setup.create(`${root}/${path}`, { data: '0' })
    const { writers, readers, lockers } = this.#options
    const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1)
    for (const n of numbers(writers)) this.#start(`writer ${n}`, (client) => this.#write(client, n))
    for (const n of numbers(readers)) {
      this.#start(`reader ${n}`, (client, name) => this.#read(client, name))
    }
    for (const n of numbers(lockers)) {
      this.#start(`locker ${n}`, (client, name) => this.#lock(client, name))
    }
    for (const n of numbers(2)) this.#start(`counter ${n}`, (client) => this.#count(client))
    this.#loops.push(this.#leave())
  }

  /** Ends the loops; sessions stay. */
  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
  }

  /** What only the end can tell. Throws when the ensemble does not answer. */
  async check(): Promise<void> {
    const reader = this.#open('checker')
    await reader.sync(root)
    for (const path of this.#history.registers) {
      const value = numberIn((await reader.get(path)).data)
      this.#history.readFresh(path, value, this.#history.acknowledgedOf(path))
    }
    const names = new Set(await reader.getChildren(`${root}/seq`))
    for (const path of this.#history.present) {
      if (!names.has(path.slice(`${root}/seq/`.length))) this.#history.violation(`${path} is lost`)
    }
    const count = numberIn((await reader.get(`${root}/count`)).data)
    if (count < this.counted || count > this.counted + this.countedUnknown) {
      this.#history.violation(
        `the counter is ${count}: ${this.counted} acknowledged, ${this.countedUnknown} unknown`,
      )
    }
    this.#history.checkFences()
    await this.#checkEphemerals(reader)
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map(({ client }) => client.close().catch(() => undefined)))
  }

  #open(name: string): Client {
    const client = connect(this.#urls, {
      transport: tcp,
      timeoutMs: longTimeoutMs,
      connectTimeoutMs: 2000,
      retryDelayMs: { first: 50, max: 500 },
    })
    client.onState((state) => {
      if (state === 'expired') this.#history.sessionLost(`${name} (${longTimeoutMs} ms)`)
    })
    this.#clients.push({ name, client })
    return client
  }

  #start(name: string, loop: (client: Client, name: string) => Promise<void>): void {
    const client = this.#open(name)
    const live = async (): Promise<void> => {
      await insist(() => client.create(`${root}/live/${name}`, { mode: 'ephemeral' }))
      while (!this.#isOver && client.state !== 'expired') {
        try {
          await loop(client, name)
        } catch (error) {
          if (!isLoss(error)) throw error
          await delay(20)
        }
      }
    }
    this.#loops.push(
      live().catch((error: unknown) => this.#history.violation(`${name}: ${String(error)}`)),
    )
  }

  /** Sets its own node, and now and then has the ensemble name one. */
  async #write(client: Client, n: number): Promise<void> {
    const path = `${root}/w/${n}`
    const own: string[] = []
    await insist(() => client.create(path, { data: '0' }))
    for (let round = 1; !this.#isOver; round++) {
      if (this.#options.thinkMs > 0) await delay(this.#options.thinkMs)
      const value = this.#history.nextOf(path)
      const sentMs = performance.now()
      await this.#attempt(async () => {
        const { mzxid } = await client.set(path, String(value))
        this.#history.wrote(path, value, mzxid, sentMs)
      })
      if (round % 10 === 0) await this.#name(client, own)
    }
  }

  async #name(client: Client, own: string[]): Promise<void> {
    await this.#attempt(async () => {
      const path = await client.create(`${root}/seq/n-`, { mode: 'persistentSequential' })
      this.#history.named(path)
      own.push(path)
    })
    if (own.length < 20) return
    const oldest = own.shift() ?? ''
    // It must be there until we ask for its end; whether that took effect we may never know.
    this.#history.present.delete(oldest)
    await this.#attempt(async () => {
      try {
        await client.delete(oldest)
      } catch (error) {
        if (error instanceof ZooKeeperError && error.code === 'NoNode') {
          this.#history.violation(`${oldest} is lost`)
        } else throw error
      }
    })
  }

  async #read(client: Client, name: string): Promise<void> {
    const monotonic = new Monotonic(this.#history, name)
    for (let round = 0; !this.#isOver; round++) {
      const { registers } = this.#history
      const path = registers[(round * 7 + name.length) % Math.max(1, registers.length)]
      if (path === undefined) {
        await delay(50)
        continue
      }
      await delay(this.#options.thinkMs + 5)
      await this.#attempt(async () => {
        const before = this.#history.acknowledgedOf(path)
        const isFresh = round % 2 === 0
        // Sent behind each other, on one link: a sync says nothing of a server the client goes to afterwards.
        const synced = isFresh ? client.sync(path) : undefined
        // Without a sync the member that is asked may not know the node yet.
        if (!isFresh && (await client.exists(path)) === undefined) return
        const [{ data, stat }] = await Promise.all([client.get(path), synced])
        monotonic.saw(path, stat.mzxid)
        if (isFresh) this.#history.readFresh(path, numberIn(data), before)
      })
    }
  }

  /** Compare and set: no increment may be lost, none counted twice. */
  async #count(client: Client): Promise<void> {
    while (!this.#isOver) {
      await delay(20)
      const { data, stat } = await client.get(`${root}/count`)
      const sentMs = performance.now()
      try {
        await client.set(`${root}/count`, String(numberIn(data) + 1), { version: stat.version })
        this.counted += 1
        this.#history.acknowledgedOther('count', sentMs)
      } catch (error) {
        if (isLoss(error)) this.countedUnknown += 1
        else if (!(error instanceof ZooKeeperError && error.code === 'BadVersion')) throw error
      }
    }
  }

  /** Holds the lock for a moment and writes, with its token, what the lock guards. */
  async #lock(client: Client, name: string): Promise<void> {
    const lock = new Lock(client, `${root}/lock`, { label: name })
    while (!this.#isOver) {
      const hold = await lock.acquire({ signal: AbortSignal.timeout(20_000) })
      this.#history.granted(name, hold.token)
      for (let write = 0; write < 3 && hold.isSure; write++) {
        await this.#attempt(async () => {
          const sentMs = performance.now()
          const { data, stat } = await client.get(`${root}/fence`)
          // What the lock guards refuses older tokens.
          if (numberIn(data) > hold.token) return
          const { mzxid } = await client.set(`${root}/fence`, String(hold.token), {
            version: stat.version,
          })
          this.#history.fenced(mzxid, hold.token)
          this.#history.acknowledgedOther('fence', sentMs)
        })
        await delay(10)
      }
      await hold.release()
    }
  }

  /** Sessions that go without a word: their ephemerals must go too. */
  async #leave(): Promise<void> {
    while (!this.#isOver) {
      await delay(2000)
      const client = connect(this.#urls, {
        transport: tcp,
        timeoutMs: leftTimeoutMs,
        connectTimeoutMs: 1000,
      })
      const made = client
        .create(`${root}/live/left-`, { mode: 'ephemeralSequential' })
        .then(() => this.#left.push(client.session?.id ?? 0n))
      await Promise.race([made.catch(() => undefined), delay(5000)])
      client.leave()
    }
  }

  async #checkEphemerals(reader: Client): Promise<void> {
    const wanted = this.#clients.map(({ name }) => name)
    const deadline = performance.now() + 60_000
    for (;;) {
      await reader.sync(root)
      const names = await reader.getChildren(`${root}/live`)
      const tooLong = names.filter((name) => !wanted.includes(name))
      for (const { name, client } of this.#clients) {
        if (name === 'setup' || name === 'checker' || client.state === 'expired') continue
        if (!names.includes(name)) this.#history.violation(`the ephemeral of ${name} is gone`)
      }
      if (tooLong.length === 0) return
      if (performance.now() > deadline) {
        this.#history.violation(`ephemerals of dead sessions: ${tooLong.join(' ')}`)
        return
      }
      await delay(500)
    }
  }

  /** What was under way when a link broke has an unknown fate; what was refused changed nothing. */
  async #attempt(operation: () => Promise<void>): Promise<void> {
    try {
      await operation()
    } catch (error) {
      if (isLoss(error)) this.#history.unknown += 1
      else if (error instanceof ZooKeeperError && error.code === 'BadVersion') {
        this.#history.refused += 1
      } else throw error
    }
  }
}

/** A client that lost its link, its hold or its patience, or meets a full disk, goes on; anything else is news. */
function isLoss(error: unknown): boolean {
  if (error instanceof HoldLost) return true
  if (error instanceof DOMException && error.name === 'TimeoutError') return true
  const codes = [
    'ConnectionLoss',
    'SessionExpired',
    'RequestTimeout',
    'SessionMoved',
    'SystemError',
  ]
  return error instanceof ZooKeeperError && codes.includes(error.code)
}

/** A create whose fate is unknown may have taken effect. */
async function insist(create: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await create()
      return
    } catch (error) {
      if (error instanceof ZooKeeperError && error.code === 'NodeExists') return
      if (!isLoss(error) || (error instanceof ZooKeeperError && error.code === 'SessionExpired')) {
        throw error
      }
    }
  }
}

const numberIn = (data: Uint8Array | null): number =>
  Number(new TextDecoder().decode(data ?? undefined))
