/** What clients were told, and whether all of it can be true. Checks as it goes; nothing is kept that was checked. */

/** One node that one client writes: numbers that grow. */
interface Register {
  acknowledged: number
  attempted: number
  /** Zxid of the last acknowledged write. */
  zxid: number
}

export class History {
  readonly violations: string[] = []
  acknowledged = 0
  /** Writes whose fate the client was not told. */
  unknown = 0
  refused = 0
  reads = 0
  readonly lostSessions: string[] = []
  readonly #registers = new Map<string, Register>()
  readonly #sequence = new Set<string>()
  /** Nodes that were created with acknowledgement and that nobody asked to delete. */
  readonly present = new Set<string>()
  readonly #fences: { readonly zxid: number; readonly token: number }[] = []
  readonly #holders = new Map<number, string>()
  #ackListeners = new Set<(writer: string, sentMs: number, ackedMs: number) => void>()

  violation(what: string): void {
    this.violations.push(what)
    console.log(`VIOLATION: ${what}`)
  }

  onAcknowledged(
    listener: (writer: string, sentMs: number, ackedMs: number) => void,
  ): () => boolean {
    this.#ackListeners.add(listener)
    return () => this.#ackListeners.delete(listener)
  }

  #tell(writer: string, sentMs: number): void {
    this.acknowledged += 1
    const ackedMs = performance.now()
    for (const listener of this.#ackListeners) listener(writer, sentMs, ackedMs)
  }

  /** The number to write next. */
  nextOf(path: string): number {
    const register = this.#registers.get(path) ?? { acknowledged: 0, attempted: 0, zxid: 0 }
    register.attempted += 1
    this.#registers.set(path, register)
    return register.attempted
  }

  wrote(path: string, value: number, zxid: number, sentMs: number): void {
    const register = this.#registers.get(path)
    if (register === undefined) return
    if (zxid <= register.zxid) {
      this.violation(`${path}: write ${value} has zxid ${zxid}, an earlier one ${register.zxid}`)
    }
    register.acknowledged = value
    register.zxid = zxid
    this.#tell(path, sentMs)
  }

  /** A write that is no register's was acknowledged. */
  acknowledgedOther(writer: string, sentMs: number): void {
    this.#tell(writer, sentMs)
  }

  acknowledgedOf(path: string): number {
    return this.#registers.get(path)?.acknowledged ?? 0
  }

  /** A read behind a sync: everything acknowledged before it began must show, and nothing that nobody wrote. */
  readFresh(path: string, value: number, acknowledgedBefore: number): void {
    this.reads += 1
    const attempted = this.#registers.get(path)?.attempted ?? 0
    if (value < acknowledgedBefore) {
      this.violation(`${path}: reads ${value}, acknowledged was ${acknowledgedBefore}`)
    }
    if (value > attempted)
      this.violation(`${path}: reads ${value}, nobody wrote beyond ${attempted}`)
  }

  get registers(): readonly string[] {
    return [...this.#registers.keys()]
  }

  /** A name the ensemble gave. */
  named(path: string): void {
    if (this.#sequence.has(path)) this.violation(`the name ${path} was given twice`)
    this.#sequence.add(path)
    this.present.add(path)
  }

  /** The lock was granted with this token. */
  granted(holder: string, token: number): void {
    const before = this.#holders.get(token)
    if (before !== undefined) this.violation(`token ${token} for ${before} and for ${holder}`)
    this.#holders.set(token, holder)
  }

  /** What is guarded was written with this token. */
  fenced(zxid: number, token: number): void {
    this.#fences.push({ zxid, token })
  }

  get grants(): number {
    return this.#holders.size
  }

  /** In the order of the writes no token comes back: whoever lost the lock wrote nothing more. */
  checkFences(): void {
    this.#fences.sort((a, b) => a.zxid - b.zxid)
    this.#fences.forEach(({ zxid, token }, at) => {
      const before = this.#fences[at - 1]
      if (before !== undefined && before.token > token) {
        this.violation(`token ${token} wrote at ${zxid}, after ${before.token} at ${before.zxid}`)
      }
    })
  }

  sessionLost(name: string): void {
    this.lostSessions.push(name)
    console.log(`SESSION LOST: ${name}`)
  }
}

/** What one session read of one node may only move forward. */
export class Monotonic {
  readonly #history: History
  readonly #name: string
  readonly #seen = new Map<string, number>()

  constructor(history: History, name: string) {
    this.#history = history
    this.#name = name
  }

  saw(path: string, mzxid: number): void {
    const before = this.#seen.get(path) ?? 0
    if (mzxid < before) {
      this.#history.violation(`${this.#name} saw ${path} at ${before}, then at ${mzxid}`)
    }
    this.#seen.set(path, mzxid)
  }
}
