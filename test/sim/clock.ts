/** Virtual time: what is due next, in order of time and then of scheduling. */
interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class Clock {
  nowMs = 0
  #order = 0
  readonly #heap: Event[] = []

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run)
  }

  at(atMs: number, run: () => void): void {
    if (atMs === Infinity) return
    const heap = this.#heap
    heap.push({ atMs: Math.max(atMs, this.nowMs), order: ++this.#order, run })
    let child = heap.length - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!this.#isBefore(child, parent)) break
      this.#swap(child, parent)
      child = parent
    }
  }

  /** Lets everything happen that is due until then. */
  runUntil(untilMs: number): void {
    while (this.#heap.length > 0 && (this.#heap[0] as Event).atMs <= untilMs) {
      const event = this.#pop()
      this.nowMs = event.atMs
      event.run()
    }
    this.nowMs = untilMs
  }

  #pop(): Event {
    const heap = this.#heap
    const first = heap[0] as Event
    const last = heap.pop() as Event
    if (heap.length === 0) return first
    heap[0] = last
    let parent = 0
    for (;;) {
      let child = parent * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#isBefore(child + 1, child)) child += 1
      if (!this.#isBefore(child, parent)) break
      this.#swap(child, parent)
      parent = child
    }
    return first
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a] as Event, this.#heap[b] as Event]
    return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    ;[heap[a], heap[b]] = [heap[b] as Event, heap[a] as Event]
  }
}
