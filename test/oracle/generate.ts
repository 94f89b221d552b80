/** Random scripts: several sessions, faults among their requests, everything from one seed. */
import { Random } from '../../src/core/shared/random.ts'
import { Ingredients, open } from './ingredients.ts'
import { Requests } from './requests.ts'
import { intruders, type Request, type Step } from './script.ts'

export interface Recipe {
  readonly seed: number
  /** Counted: each request of a burst is one. */
  readonly operations: number
  readonly sessions: number
  /** Everything happens below this node. Another of the same length gives the same script elsewhere. */
  readonly root: string
}

export const countOf = (step: Step): number => (step.act === 'ask' ? step.requests.length : 1)

/** Ends with a look at everything that is there by then. */
export function generate({ seed, operations: wanted, sessions, root }: Recipe): Step[] {
  const writer = new Scriptwriter(new Ingredients(new Random(seed), root), sessions, seed % 4 === 0)
  const steps = writer.opening()
  for (let count = 0; count < wanted - 1;) {
    const step = writer.step()
    steps.push(step)
    count += countOf(step)
  }
  return [...steps, { act: 'audit', session: 0, roots: writer.roots }]
}

const close: Request = { op: 'closeSession', body: undefined }

class Scriptwriter {
  readonly #some: Ingredients
  readonly #requests: Requests
  readonly #sessions: number
  /** Hard quotas lie on parts of the tree; then nothing is pipelined. */
  readonly #hasQuota: boolean

  constructor(some: Ingredients, sessions: number, hasQuota: boolean) {
    this.#some = some
    this.#requests = new Requests(some)
    this.#sessions = sessions
    this.#hasQuota = hasQuota
  }

  /** All that a script changes. */
  get roots(): readonly string[] {
    const { root } = this.#some
    return this.#hasQuota ? [root, `/zookeeper/quota${root}`] : [root]
  }

  opening(): Step[] {
    const { root } = this.#some
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
    const some = this.#some
    const session = some.below(this.#sessions)
    const ask = (...requests: readonly Request[]): Step => ({ act: 'ask', session, requests })
    const write = (): Request => this.#requests.setData()
    return some.pick<Step>([
      [70, () => ask(this.#requests.any())],
      [2, () => ({ act: 'ask', session, requests: [this.#requests.any()], isChopped: true })],
      [this.#hasQuota ? 10 : 0, () => ask(this.#requests.quota())],
      [this.#hasQuota ? 0 : 14, () => ask(...this.#burst())],
      [4, () => ask(this.#requests.malformed())],
      [1, () => ask(this.#requests.unknown())],
      [1, () => ({ act: 'bytes', session, bytes: this.#noFrame() })],
      [2, () => ({ act: 'drop', session })],
      [1, () => ({ act: 'drop', session, half: write() })],
      [3, () => ({ act: 'resume', session, timeoutMs: some.timeout() })],
      [1, () => ({ act: 'move', session })],
      [1, () => ({ act: 'move', session, stale: write() })],
      [2, () => ask(close)],
      [0.08, () => ({ act: 'expire', session })],
      [2, () => ({ act: 'intrude', session, as: some.of(intruders) })],
    ])
  }

  /** Some end with the session, or with an operation that is none. */
  #burst(): Request[] {
    const some = this.#some
    const requests = some.many(2, 8, () => this.#requests.any())
    switch (some.below(20)) {
      case 0:
        return [...requests, this.#requests.unknown()]
      case 1:
        return [...requests, close, ...some.many(0, 2, () => this.#requests.read('getData'))]
      default:
        return requests
    }
  }

  /** Lengths that no frame has, and frames too short for a request. */
  #noFrame(): Uint8Array {
    const some = this.#some
    const ruok = 0x7275_6f6b
    const length = some.of([-5, 0, -1, 0x7fff_ffff, 1_048_576, -0x8000_0000, ruok, 1, 4, 7])
    const bytes = new Uint8Array(4 + (length < 8 ? Math.max(0, length) : 0))
    new DataView(bytes.buffer).setInt32(0, length)
    return bytes
  }
}
