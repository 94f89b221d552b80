/** Who is there: members of a group, each gone with its session. */
import type { Client, Data, WatchListener } from '../client/index.ts'
import { Hold } from './hold.ts'
import {
  bell,
  isRefusal,
  isUnknown,
  onGround,
  orAborted,
  persistently,
  type Waiting,
} from './patience.ts'

/** Names of the members, and what each has to say. */
export type Members = ReadonlyMap<string, Uint8Array | null>

export class Group {
  readonly #client: Client
  readonly #path: string

  constructor(client: Client, path: string) {
    this.#client = client
    this.#path = path
  }

  /** Member until `release`, or until the session ends. NodeExists where the name is taken. */
  async join(name: string, data: Data = ''): Promise<Hold> {
    const client = this.#client
    const path = `${this.#path}/${name}`
    for (let isRepeat = false; ; isRepeat = true) {
      try {
        const { stat } = await onGround(client, this.#path, () =>
          client.create2(path, { data, mode: 'ephemeral' }),
        )
        return new Hold(client, path, stat.czxid)
      } catch (error) {
        if (isUnknown(error)) continue
        if (!isRepeat || !isRefusal(error, 'NodeExists')) throw error
        // Ours, where the reply was lost; another member's, else.
        const stat = await persistently(() => client.exists(path))
        if (stat && stat.ephemeralOwner !== client.session?.id) throw error
        if (stat) return new Hold(client, path, stat.czxid)
      }
    }
  }

  async members(): Promise<Members> {
    return this.#read()
  }

  /** Yields the members now, and again when some have come or gone, until the signal is aborted. */
  async *follow({ signal }: Waiting = {}): AsyncGenerator<Members> {
    while (!signal?.aborted) {
      const { watch, rung } = bell()
      yield await this.#read(watch)
      try {
        await orAborted(rung, signal)
      } catch (error) {
        if (!signal?.aborted) throw error
      }
    }
  }

  async #read(watch?: WatchListener): Promise<Members> {
    const client = this.#client
    const names = await persistently(() =>
      onGround(client, this.#path, () =>
        client.getChildren(this.#path, { ...(watch && { watch }) }),
      ),
    )
    const members = [...names].sort().map(async (name) => {
      try {
        const { data } = await persistently(() => client.get(`${this.#path}/${name}`))
        return [[name, data] as const]
      } catch (error) {
        if (isRefusal(error, 'NoNode')) return []
        throw error
      }
    })
    return new Map((await Promise.all(members)).flat())
  }
}
