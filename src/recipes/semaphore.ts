/** A lock with several holders. */
import type { Client } from '../client/index.ts'
import type { Hold } from './hold.ts'
import { inOrder, Line } from './line.ts'
import { bell, orAborted, persistently, type Waiting } from './patience.ts'

/**
 * At most `permits` holders at a time, the longest waiting next. Every client must name the same number. Only the first in
 * line looks at the leases; who waits behind is woken by the one in front.
 */
export class Semaphore {
  readonly #client: Client
  readonly #leasesPath: string
  readonly #permits: number
  readonly #gate: Line
  readonly #leases: Line

  constructor(client: Client, path: string, permits: number) {
    if (!Number.isInteger(permits) || permits < 1) throw new RangeError(`${permits} permits`)
    this.#client = client
    this.#permits = permits
    this.#leasesPath = `${path}/leases`
    this.#gate = new Line(client, `${path}/locks`)
    this.#leases = new Line(client, this.#leasesPath)
  }

  /** Waits for its turn and for a permit. */
  async acquire(waiting: Waiting = {}): Promise<Hold> {
    const { signal } = waiting
    const gate = await this.#gate.take('lock-', '', (inFront) => inFront.at(-1), waiting)
    const joining = this.#leases.join('lease-', '')
    try {
      const lease = await orAborted(joining, signal)
      const stops = [lease.lost, gate.lost, ...(signal ? [signal] : [])]
      await this.#untilPermitted(lease, AbortSignal.any(stops))
      return lease
    } catch (error) {
      // Without a lease there is nothing to give back.
      void joining.then((lease) => lease.release()).catch(() => {})
      throw error
    } finally {
      await gate.release()
    }
  }

  /** As `Lock.with`. */
  async with<T>(work: (lease: Hold) => T | Promise<T>, waiting: Waiting = {}): Promise<T> {
    const lease = await this.acquire(waiting)
    try {
      return await work(lease)
    } finally {
      await lease.release()
    }
  }

  async #untilPermitted(lease: Hold, stop: AbortSignal): Promise<void> {
    for (;;) {
      const { watch, rung } = bell()
      const names = await orAborted(
        persistently(() => this.#client.getChildren(this.#leasesPath, { watch })),
        stop,
      )
      const places = inOrder(names)
      const own = places.findIndex(({ name }) => lease.path === `${this.#leasesPath}/${name}`)
      if (own !== -1 && own < this.#permits) return
      await orAborted(rung, stop)
    }
  }
}
