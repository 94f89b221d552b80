/**
 * Clients in line below a node: each has an ephemeral sequential node there, and its turn depends on who is in front.
 * The names are Curator's: `_c_<uuid>-lock-0000000007`. By the uuid a client finds its node again whose reply was lost.
 */
import type { Client, Data } from '../client/index.ts'
import { Hold, HoldLost } from './hold.ts'
import {
  isRefusal,
  isUnknown,
  onGround,
  orAborted,
  persistently,
  textOf,
  untilGone,
  type Waiting,
} from './patience.ts'

/** What a place in line is for. */
export type Marker = 'lock-' | '__READ__' | '__WRIT__' | 'lease-'

export interface Place {
  readonly name: string
  readonly marker: Marker
  readonly sequence: number
}

/** Of those in front, the one to wait for; undefined: it is our turn. */
export type BlockerOf = (inFront: readonly Place[]) => Place | undefined

export class Line {
  readonly #client: Client
  readonly #root: string

  constructor(client: Client, root: string) {
    this.#client = client
    this.#root = root
  }

  /** Goes to the end of the line. */
  async join(marker: Marker, data: Data): Promise<Hold> {
    const client = this.#client
    const path = `${this.#root}/_c_${crypto.randomUUID()}-${marker}`
    for (;;) {
      try {
        const made = await onGround(client, this.#root, () =>
          client.create2(path, { mode: 'ephemeralSequential', data }),
        )
        return new Hold(client, made.path, made.stat.czxid)
      } catch (error) {
        if (!isUnknown(error)) throw error
        const found = await this.#find(path)
        if (found) return found
      }
    }
  }

  /** Joins and waits for its turn. */
  async take(marker: Marker, data: Data, blockerOf: BlockerOf, { signal }: Waiting): Promise<Hold> {
    signal?.throwIfAborted()
    const joining = this.join(marker, data)
    try {
      const hold = await orAborted(joining, signal)
      await this.untilTurn(hold, blockerOf, signal)
      return hold
    } catch (error) {
      // Nobody waits for it any more: it must not stand in others' way. If it never joined, there is nothing to give back.
      void joining.then((hold) => hold.release()).catch(() => {})
      throw error
    }
  }

  /** As `take`, and gives up at once where it is not its turn. */
  async tryTake(marker: Marker, data: Data, blockerOf: BlockerOf): Promise<Hold | undefined> {
    const hold = await this.join(marker, data)
    try {
      if (blockerOf(await this.#inFrontOf(hold)) === undefined) return hold
    } catch (error) {
      await hold.release()
      throw error
    }
    await hold.release()
    return undefined
  }

  async untilTurn(
    hold: Hold,
    blockerOf: BlockerOf,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const stop = signal ? AbortSignal.any([signal, hold.lost]) : hold.lost
    for (;;) {
      const blocker = blockerOf(await orAborted(this.#inFrontOf(hold), stop))
      if (blocker === undefined) return
      await orAborted(untilGone(this.#client, `${this.#root}/${blocker.name}`, stop), stop)
    }
  }

  /** Everyone in line, in order. */
  async places(): Promise<Place[]> {
    const names = await persistently(() => this.#client.getChildren(this.#root)).catch(
      (error: unknown) => {
        if (isRefusal(error, 'NoNode')) return []
        throw error
      },
    )
    return inOrder(names)
  }

  /** What everyone in line has written on their place, in order. */
  async labels(): Promise<string[]> {
    const places = await this.places()
    const labels = places.map(async ({ name }) => {
      try {
        const { data } = await persistently(() => this.#client.get(`${this.#root}/${name}`))
        return [textOf(data)]
      } catch (error) {
        if (isRefusal(error, 'NoNode')) return []
        throw error
      }
    })
    return (await Promise.all(labels)).flat()
  }

  async #inFrontOf({ path }: Hold): Promise<Place[]> {
    const places = await this.places()
    const own = places.findIndex(({ name }) => path === `${this.#root}/${name}`)
    if (own === -1) throw new HoldLost(path, 'it was deleted')
    return places.slice(0, own)
  }

  /** The node of a create whose reply was lost. Behind the sync nothing of an earlier link is still to come. */
  async #find(path: string): Promise<Hold | undefined> {
    const client = this.#client
    await persistently(() => client.sync(this.#root))
    const own = (await this.places()).find(({ name }) => `${this.#root}/${name}`.startsWith(path))
    if (own === undefined) return undefined
    const found = `${this.#root}/${own.name}`
    const stat = await persistently(() => client.exists(found))
    return stat && new Hold(client, found, stat.czxid)
  }
}

/** Sequence numbers are Java ints: behind the largest comes the smallest. */
export function inOrder(names: readonly string[]): Place[] {
  const places = names.flatMap((name) => {
    const [, marker, digits] = /(lock-|__READ__|__WRIT__|lease-)(-?\d{9,})$/.exec(name) ?? []
    return digits ? [{ name, marker: marker as Marker, sequence: Number(digits) }] : []
  })
  return places.sort((one, other) => (one.sequence - other.sequence) | 0)
}
