/** How many sessions a member serves at a time, in all and by client address (maxCnxns, maxClientCnxns). */
import { hostOf } from '../../tree/address.ts'

export class Admission {
  readonly #maxCnxns: number
  readonly #maxClientCnxns: number
  readonly #byHost = new Map<string, number>()
  #count = 0
  /** Clients that were turned away. */
  rejected = 0

  /** 0: no limit. */
  constructor(maxCnxns: number, maxClientCnxns: number) {
    this.#maxCnxns = maxCnxns
    this.#maxClientCnxns = maxClientCnxns
  }

  /** May a client of this address come in? If so it counts until it `left`. */
  admit(address: string): boolean {
    const host = hostOf(address)
    const present = this.#byHost.get(host) ?? 0
    const isFull =
      (this.#maxCnxns > 0 && this.#count >= this.#maxCnxns) ||
      (this.#maxClientCnxns > 0 && present >= this.#maxClientCnxns)
    if (isFull) {
      this.rejected += 1
      return false
    }
    this.#count += 1
    this.#byHost.set(host, present + 1)
    return true
  }

  left(address: string): void {
    const host = hostOf(address)
    const present = (this.#byHost.get(host) ?? 1) - 1
    this.#count -= 1
    if (present === 0) this.#byHost.delete(host)
    else this.#byHost.set(host, present)
  }
}
