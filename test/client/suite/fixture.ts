/** What the tests of the suite share: a subtree of their own, clients that are closed behind them, links to cut. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  type Client,
  type ClientOptions,
  connect,
  type Dial,
  type ErrorCode,
  type Transport,
  ZooKeeperError,
} from '../../../src/client/index.ts'

export interface Target {
  readonly name: string
  /** Asked when a test runs, not before. */
  url(): string | readonly string[]
  readonly transport: Dial
  /** Shortest session timeout that servers give, in ms. */
  readonly minTimeoutMs: number
  /** How often the servers look for empty containers and nodes past their time to live, in ms. */
  readonly reaperMs: number
  /** What ZooKeeper's servers cannot before a release: such tests are left out, with the reason in their name. */
  readonly release: '3.8' | '3.9'
}

export class Fixture {
  readonly target: Target
  /** A client with a session of its own, and the node below which a test may do what it likes. */
  client!: Client
  root = ''
  #others: Client[] = []
  #janitor!: Client
  #serial = 0

  constructor(target: Target) {
    this.target = target
    const home = `/suite-${crypto.randomUUID().slice(0, 8)}`
    beforeAll(async () => {
      this.#janitor = connect(target.url(), { transport: target.transport })
      await this.#janitor.create(home)
    })
    beforeEach(async () => {
      this.root = await this.#janitor.create(`${home}/${++this.#serial}`)
      this.client = this.open()
      await this.client.ready()
    })
    afterEach(async () => {
      await Promise.all(this.#others.map((client) => client.close()))
      this.#others = []
    })
    afterAll(async () => {
      await deleteAll(this.#janitor, home)
      await this.#janitor.close()
    })
  }

  open(options: ClientOptions = {}): Client {
    const { transport } = this.target
    const client = connect(this.target.url(), { transport, timeoutMs: 10_000, ...options })
    this.#others.push(client)
    return client
  }

  /** A client whose link can be cut, as a network would: the client is told nothing but that it ended. */
  openCuttable(options: ClientOptions = {}): { client: Client; cut: () => void } {
    let cut = () => {}
    const transport: Dial = (url, events) => {
      const inner: Transport = this.target.transport(url, events)
      cut = () => {
        inner.abort()
        events.ended('cut by the test')
      }
      return inner
    }
    const retryDelayMs = { first: 300, max: 300 }
    const client = this.open({ transport, retryDelayMs, ...options })
    return { client, cut: () => cut() }
  }
}

/** A test of what came with 3.9. */
export function testSince39(it: Fixture, name: string, what: () => Promise<void>): void {
  if (it.target.release === '3.8') test.skip(`${name} (3.8.0 cannot)`, () => {})
  else test(name, what)
}

async function deleteAll(client: Client, path: string): Promise<void> {
  // A node nobody may read has no children here; its parent alone decides about its deletion.
  const children = await client.getChildren(path).catch(() => [])
  await Promise.all(children.map((child) => deleteAll(client, `${path}/${child}`)))
  await client.delete(path)
}

/** The code an operation was refused with; fails where it was granted. */
export async function refusal(operation: Promise<unknown>): Promise<ErrorCode> {
  const error = await operation.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ZooKeeperError)
  return (error as ZooKeeperError).code
}

export async function eventually<T>(probe: () => Promise<T>, withinMs: number): Promise<T> {
  const until = performance.now() + withinMs
  for (;;) {
    try {
      return await probe()
    } catch (error) {
      if (performance.now() > until) throw error
      await pause(50)
    }
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

export const textOf = (data: Uint8Array | null) => data && new TextDecoder().decode(data)
