/** Whether a link lives: asks for a sign of life after a third of the session timeout, gives up after two thirds. */
export class Liveness {
  readonly #thirdMs: number
  readonly #ping: () => void
  readonly #dead: () => void
  #heardAt = performance.now()
  #sentAt = performance.now()
  #pingedAt = performance.now()
  #timer: ReturnType<typeof setTimeout>

  constructor(timeoutMs: number, ping: () => void, dead: () => void) {
    this.#thirdMs = timeoutMs / 3
    this.#ping = ping
    this.#dead = dead
    this.#timer = setTimeout(() => this.#check(), this.#thirdMs)
  }

  heard(): void {
    this.#heardAt = performance.now()
  }

  sent(): void {
    this.#sentAt = performance.now()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #check(): void {
    const now = performance.now()
    const deadAt = this.#heardAt + 2 * this.#thirdMs
    if (now >= deadAt) return this.#dead()
    if (now >= this.#pingAt()) {
      this.#pingedAt = now
      this.#ping()
    }
    const nextMs = Math.min(deadAt, this.#pingAt()) - now
    this.#timer = setTimeout(() => this.#check(), Math.max(1, Math.ceil(nextMs)))
  }

  /** The server must hear us and we the server, so the longer silence of the two counts. */
  #pingAt(): number {
    return Math.max(this.#pingedAt, Math.min(this.#heardAt, this.#sentAt)) + this.#thirdMs
  }
}
