/** One leader among many candidates. */
import type { Client } from '../client/index.ts'
import type { Hold } from './hold.ts'
import { Lock } from './lock.ts'
import type { Waiting } from './patience.ts'

/**
 * The candidate that came first leads until it resigns (`release`) or its session ends; then the next does. A leader
 * should stop when `lost` is aborted, pass `token` on with what it orders, and doubt itself while not `isSure`.
 *
 *     const leadership = await new Election(client, '/leader', { name: 'node-1' }).campaign()
 */
export class Election {
  readonly #lock: Lock

  constructor(client: Client, path: string, { name }: { readonly name: string }) {
    this.#lock = new Lock(client, path, { label: name })
  }

  /** Resolves when this candidate is elected. */
  campaign(waiting: Waiting = {}): Promise<Hold> {
    return this.#lock.acquire(waiting)
  }

  /** The leader's name; undefined without any candidate. */
  async leader(): Promise<string | undefined> {
    return (await this.candidates())[0]
  }

  /** Names of the leader and of who would follow it, in order. */
  candidates(): Promise<readonly string[]> {
    return this.#lock.contenders()
  }
}
