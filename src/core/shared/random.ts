/** The one source of chance in the core: a seed replays everything (SplitMix32, Steele, Lea and Flood 2014). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A 32-bit unsigned integer. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }

  /** An integer in [from, to]. */
  between(from: number, to: number): number {
    return from + (this.next() % (to - from + 1))
  }
}
