/** How long to wait before the next try: doubling, and never twice the same, so that a crowd does not return as one. */
export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  #tries = 0

  constructor({ first, max }: { readonly first: number; readonly max: number }) {
    this.#firstMs = first
    this.#maxMs = max
  }

  /** Between half of this try's delay and all of it. */
  next(): number {
    const ms = Math.min(this.#maxMs, this.#firstMs * 2 ** this.#tries)
    this.#tries++
    return ms * (0.5 + Math.random() / 2)
  }

  reset(): void {
    this.#tries = 0
  }
}
