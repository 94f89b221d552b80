/** Barriers: to hold clients back until one lifts it, and to begin and end together. */
import { type Client, step } from '../client/index.ts'
import { Hold } from './hold.ts'
import {
  bell,
  isRefusal,
  isUnknown,
  onGround,
  orAborted,
  persistently,
  remove,
  untilGone,
  type Waiting,
} from './patience.ts'

/** While the node is there, everyone waits. It outlives who raised it. */
export class Barrier {
  readonly #client: Client
  readonly #path: string

  constructor(client: Client, path: string) {
    this.#client = client
    this.#path = path
  }

  /** That it is raised already is as good. */
  async raise(): Promise<void> {
    const client = this.#client
    const parent = this.#path.slice(0, this.#path.lastIndexOf('/')) || '/'
    try {
      await persistently(() => onGround(client, parent, () => client.create(this.#path)))
    } catch (error) {
      if (!isRefusal(error, 'NodeExists')) throw error
    }
  }

  lift(): Promise<void> {
    return remove(this.#client, this.#path)
  }

  /** Resolves when it is lifted; at once where it is not raised. */
  async wait({ signal }: Waiting = {}): Promise<void> {
    // Whoever raised it before we ask must hold us back, though our server has not heard of it yet.
    await orAborted(
      persistently(() => this.#client.sync(this.#path)),
      signal,
    )
    await orAborted(untilGone(this.#client, this.#path, signal), signal)
  }
}

/**
 * `enter` resolves when `size` clients have entered, `leave` when all of them have left or their sessions have ended. Enter
 * it again only then.
 */
export class DoubleBarrier {
  readonly #client: Client
  readonly #path: string
  readonly #readyPath: string
  readonly #size: number
  #own: Hold | undefined

  constructor(client: Client, path: string, size: number) {
    this.#client = client
    this.#path = path
    this.#readyPath = `${path}/${ready}`
    this.#size = size
  }

  async enter({ signal }: Waiting = {}): Promise<void> {
    if (this.#own) throw new Error('entered already')
    signal?.throwIfAborted()
    await persistently(() => this.#client.sync(this.#path))
    await this.#removeRemains()
    const own = await this.#join()
    this.#own = own
    try {
      const stop = signal ? AbortSignal.any([signal, own.lost]) : own.lost
      await orAborted(this.#untilReady(stop), stop)
    } catch (error) {
      this.#own = undefined
      await own.release()
      throw error
    }
  }

  async leave({ signal }: Waiting = {}): Promise<void> {
    const own = this.#own
    if (!own) throw new Error('not entered')
    this.#own = undefined
    const ownName = own.path.slice(this.#path.length + 1)
    // Whoever enters anew meanwhile is none of ours.
    const cohort = new Set(await this.#names())
    for (;;) {
      const names = await orAborted(this.#names(), signal)
      const members = names.filter((name) => name !== ready && cohort.has(name)).sort()
      const [lowest] = members
      if (lowest === undefined) return this.#removeRemains()
      if (members.length === 1 && lowest === ownName) {
        if (await this.#leaveLast(own)) return
        continue
      }
      // The lowest leaves last, and takes the sign with it; so the others wait for one node each, and it for the highest.
      if (lowest !== ownName) await own.release()
      const awaited = lowest === ownName ? members.at(-1) : lowest
      await orAborted(untilGone(this.#client, `${this.#path}/${awaited}`, signal), signal)
    }
  }

  async #join(): Promise<Hold> {
    const client = this.#client
    const path = `${this.#path}/${crypto.randomUUID()}`
    const create = () =>
      onGround(client, this.#path, () => client.create2(path, { mode: 'ephemeral' }))
    try {
      const { stat } = await persistently(create)
      return new Hold(client, path, stat.czxid)
    } catch (error) {
      // Of a uuid of our own: it was made, and the reply was lost.
      if (!isRefusal(error, 'NodeExists')) throw error
      const stat = await persistently(() => client.exists(path))
      return new Hold(client, path, stat?.czxid ?? 0)
    }
  }

  async #untilReady(stop: AbortSignal): Promise<void> {
    const client = this.#client
    for (;;) {
      const { watch, rung } = bell()
      if (await persistently(() => client.exists(this.#readyPath, { watch }))) return
      const names = await this.#names()
      if (names.includes(ready)) return
      if (names.length >= this.#size) return this.#showReady()
      await orAborted(rung, stop)
    }
  }

  /** A sign that stays: who was slow must still find it when who was fast has gone. */
  async #showReady(): Promise<void> {
    try {
      await persistently(() => this.#client.create(this.#readyPath))
    } catch (error) {
      if (!isRefusal(error, 'NodeExists')) throw error
    }
  }

  /** Own node and sign at once; false where that cannot be, because one of them is gone. */
  async #leaveLast(own: Hold): Promise<boolean> {
    try {
      await this.#client.multi([step.delete(own.path), step.delete(this.#readyPath)])
      return true
    } catch (error) {
      if (!isRefusal(error, 'NoNode') && !isUnknown(error)) throw error
      if (isRefusal(error, 'NoNode')) await own.release()
      return false
    }
  }

  /** A sign without members is that of clients who died. */
  async #removeRemains(): Promise<void> {
    const names = await this.#names()
    if (names.length === 1 && names[0] === ready) await remove(this.#client, this.#readyPath)
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await persistently(() => this.#client.getChildren(this.#path))
    } catch (error) {
      if (isRefusal(error, 'NoNode')) return []
      throw error
    }
  }
}

const ready = 'ready'
