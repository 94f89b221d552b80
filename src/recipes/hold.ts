/** What a client has for as long as an ephemeral node of its own is there: a lock, a lease, a leadership, a membership. */
import type { Client } from '../client/index.ts'
import { isRefusal, persistently, remove } from './patience.ts'

/** Why `lost` was aborted: the session ended, or somebody deleted the node. */
export class HoldLost extends Error {
  override name = 'HoldLost'
  readonly path: string

  constructor(path: string, why: string) {
    super(`${path} is lost: ${why}`)
    this.path = path
  }
}

export class Hold {
  /** The node that stands for it. */
  readonly path: string
  /**
   * The fencing token: the node's czxid, which grows from holder to holder. Whoever the holder writes to can refuse what comes
   * with a smaller one than it has seen: a holder that was cut off, and does not know yet that another has taken over.
   */
  readonly token: number
  readonly #client: Client
  readonly #lost = new AbortController()
  #released: Promise<void> | undefined

  constructor(client: Client, path: string, token: number) {
    this.#client = client
    this.path = path
    this.token = token
    void this.#watch()
  }

  /** Aborted, with HoldLost, when it is known to be lost; not by `release`. A lost link alone loses nothing. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /**
   * Certainly held now: not lost, not released, and there is a link. While there is none the server may have ended the session
   * without our knowing; then only the token protects.
   */
  get isSure(): boolean {
    const isHeld = !this.#lost.signal.aborted && this.#released === undefined
    return isHeld && this.#client.state === 'connected'
  }

  /** Gives it back. Resolves when the node is gone, or goes with its session. */
  release(): Promise<void> {
    this.#released ??= remove(this.#client, this.path).catch((error: unknown) => {
      if (!isRefusal(error, 'SessionExpired', 'SessionClosed', 'AuthFailed')) throw error
    })
    return this.#released
  }

  async #watch(): Promise<void> {
    const tell = ({ type }: { readonly type: string }) => {
      if (type === 'deleted') this.#lose('it was deleted')
      else if (type === 'sessionEnded') this.#lose('the session ended')
      else void this.#watch()
    }
    try {
      const stat = await persistently(() => this.#client.exists(this.path, { watch: tell }))
      if (stat?.czxid !== this.token) this.#lose('it was deleted')
    } catch (error) {
      this.#lose(String(error))
    }
  }

  #lose(why: string): void {
    if (this.#released === undefined) this.#lost.abort(new HoldLost(this.path, why))
  }
}
