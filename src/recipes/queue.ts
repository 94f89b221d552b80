/** A queue that loses nothing: what is taken is only gone when its taker says so. */
import { type Client, type Data, step, type WatchListener } from '../client/index.ts'
import {
  bell,
  isRefusal,
  isUnknown,
  onGround,
  orAborted,
  persistently,
  remove,
  textOf,
  type Waiting,
} from './patience.ts'

/** What `take` answers: ours until `done` or `putBack`, or until our session ends, when others may take it again. */
export interface Item {
  readonly data: Uint8Array | null
  /** It is worked off: nobody gets it again. */
  done(): Promise<void>
  /** Others may take it, at its old place. */
  putBack(): Promise<void>
}

/** First in, first out, for a few thousand items at most: everyone who waits reads the whole list. */
export class Queue {
  readonly #client: Client
  readonly #items: string
  readonly #claims: string

  constructor(client: Client, path: string) {
    this.#client = client
    this.#items = `${path}/items`
    this.#claims = `${path}/claims`
  }

  /** After ConnectionLoss nobody knows whether it was put. */
  async put(data: Data): Promise<void> {
    const client = this.#client
    await onGround(client, this.#items, () =>
      client.create(`${this.#items}/item-`, { data, mode: 'persistentSequential' }),
    )
  }

  /** Waits for the first item that nobody else has taken. */
  async take({ signal }: Waiting = {}): Promise<Item> {
    for (;;) {
      signal?.throwIfAborted()
      const { watch, rung } = bell()
      const [names, claims] = await orAborted(this.#look(watch), signal)
      const taken = new Set(claims)
      for (const name of names.filter((one) => !taken.has(one))) {
        const item = await this.#claim(name)
        if (item) return item
      }
      await orAborted(rung, signal)
    }
  }

  /** How many items there are, those that are taken included. */
  async size(): Promise<number> {
    return (await this.#look())[0].length
  }

  async #look(watch?: WatchListener): Promise<readonly [readonly string[], readonly string[]]> {
    const client = this.#client
    const list = (path: string) =>
      persistently(() =>
        onGround(client, path, () => client.getChildren(path, { ...(watch && { watch }) })),
      )
    const [names, claims] = await Promise.all([list(this.#items), list(this.#claims)])
    // Sequence numbers are Java ints: behind the largest comes the smallest.
    const numbered = names.map((name) => ({ name, sequence: Number(name.slice('item-'.length)) }))
    numbered.sort((one, other) => (one.sequence - other.sequence) | 0)
    return [numbered.map(({ name }) => name), claims]
  }

  /** Undefined where somebody else was faster. */
  async #claim(name: string): Promise<Item | undefined> {
    const client = this.#client
    const [item, claim] = [`${this.#items}/${name}`, `${this.#claims}/${name}`]
    if (!(await this.#isOurs(claim))) return undefined
    try {
      const { data } = await persistently(() => client.get(item))
      return {
        data,
        done: () => this.#finish(item, claim),
        putBack: () => remove(client, claim),
      }
    } catch (error) {
      // Worked off between our look and our claim.
      await remove(client, claim)
      if (isRefusal(error, 'NoNode')) return undefined
      throw error
    }
  }

  async #isOurs(claim: string): Promise<boolean> {
    const client = this.#client
    const mark = crypto.randomUUID()
    try {
      await persistently(() =>
        onGround(client, this.#claims, () =>
          client.create(claim, { data: mark, mode: 'ephemeral' }),
        ),
      )
      return true
    } catch (error) {
      if (!isRefusal(error, 'NodeExists')) throw error
    }
    // Perhaps our own, whose reply was lost.
    try {
      return textOf((await persistently(() => client.get(claim))).data) === mark
    } catch (error) {
      if (isRefusal(error, 'NoNode')) return false
      throw error
    }
  }

  async #finish(item: string, claim: string): Promise<void> {
    for (let isRepeat = false; ; isRepeat = true) {
      try {
        await this.#client.multi([step.delete(claim), step.delete(item)])
        return
      } catch (error) {
        if (isRepeat && isRefusal(error, 'NoNode')) return
        if (!isUnknown(error)) throw error
      }
    }
  }
}
