/** Where values stand on a logarithmic axis. */
export class LogScale {
  readonly #low: number
  readonly #high: number
  readonly #from: number
  readonly #to: number

  /** Of all positive values, the least near `from` and the most near `to`. */
  constructor(values: readonly number[], from: number, to: number) {
    const positive = values.filter((value) => value > 0 && Number.isFinite(value))
    const [low, high] = [Math.min(...positive), Math.max(...positive)]
    const isNone = positive.length === 0
    // One value alone would be an axis of no length.
    const room = low === high ? 2 : 1.15
    this.#low = isNone ? 1 : low / room
    this.#high = isNone ? 10 : high * room
    this.#from = from
    this.#to = to
  }

  /** What is below the axis, such as 0, stands at its end. */
  at(value: number): number {
    const part = Math.log(Math.max(value, this.#low) / this.#low) / Math.log(this.#high / this.#low)
    return this.#from + Math.min(1, part) * (this.#to - this.#from)
  }

  /** No more than can be read: of a long axis the powers of ten, of a short one more. */
  ticks(): number[] {
    const span = this.#high / this.#low
    const digits = span > 300 ? [1] : span > 20 ? [1, 3] : [1, 1.5, 2, 3, 5, 7]
    const ticks: number[] = []
    const last = Math.ceil(Math.log10(this.#high))
    for (let power = Math.floor(Math.log10(this.#low)); power <= last; power++) {
      // Above the ones by multiplying, below by dividing: 3 / 10 is 0.3, and 3 × 0.1 is not.
      ticks.push(...digits.map((digit) => (power < 0 ? digit / 10 ** -power : digit * 10 ** power)))
    }
    return ticks.filter((tick) => tick >= this.#low && tick <= this.#high)
  }
}
