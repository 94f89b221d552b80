/** How far it is, and how long it will still take. */
export class Progress {
  readonly #total: number
  readonly #since = performance.now()
  #told = 0

  constructor(total: number) {
    this.#total = total
  }

  /** One more is through. */
  tell(line: string): void {
    this.#told += 1
    const left = ((performance.now() - this.#since) / this.#told) * (this.#total - this.#told)
    console.log(`${this.#told}/${this.#total}, ${toldTime(left)} left  ${line}`)
  }
}

function toldTime(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
}
