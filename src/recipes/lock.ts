/** A lock, and one that readers share. */
import type { Client } from '../client/index.ts'
import type { Hold } from './hold.ts'
import { type BlockerOf, Line, type Marker } from './line.ts'
import type { Waiting } from './patience.ts'

export interface LockOptions {
  /** Written on this client's place in line, for `contenders`. */
  readonly label?: string
}

/**
 * A lock below a node: one holder at a time, the longest waiting next. It is not reentrant: who acquires twice waits for
 * himself. A client whose session ends loses it; a lost link alone does not.
 *
 *     const lock = new Lock(client, '/locks/printer')
 *     await lock.with(async ({ token, lost }) => print(pages, { token, signal: lost }))
 */
export class Lock {
  readonly #line: Line
  readonly #marker: Marker
  readonly #blockerOf: BlockerOf
  readonly #label: string

  constructor(client: Client, path: string, options: LockOptions = {}, kind: LockKind = exclusive) {
    this.#line = new Line(client, path)
    this.#marker = kind.marker
    this.#blockerOf = kind.blockerOf
    this.#label = options.label ?? ''
  }

  /** Waits for its turn. */
  acquire(waiting: Waiting = {}): Promise<Hold> {
    return this.#line.take(this.#marker, this.#label, this.#blockerOf, waiting)
  }

  /** Undefined where somebody else has it, or is in front. */
  tryAcquire(): Promise<Hold | undefined> {
    return this.#line.tryTake(this.#marker, this.#label, this.#blockerOf)
  }

  /** Acquires, works, and releases, however the work ends. */
  async with<T>(work: (hold: Hold) => T | Promise<T>, waiting: Waiting = {}): Promise<T> {
    const hold = await this.acquire(waiting)
    try {
      return await work(hold)
    } finally {
      await hold.release()
    }
  }

  /** Labels of who holds it and who waits, in order. */
  contenders(): Promise<readonly string[]> {
    return this.#line.labels()
  }
}

/** Readers hold it together, a writer alone; in the order they came, so that nobody waits for ever. */
export class ReadWriteLock {
  readonly read: Lock
  readonly write: Lock

  constructor(client: Client, path: string, options: LockOptions = {}) {
    this.read = new Lock(client, path, options, shared)
    this.write = new Lock(client, path, options, { ...exclusive, marker: '__WRIT__' })
  }
}

interface LockKind {
  readonly marker: Marker
  readonly blockerOf: BlockerOf
}

const exclusive: LockKind = { marker: 'lock-', blockerOf: (inFront) => inFront.at(-1) }
const shared: LockKind = {
  marker: '__READ__',
  blockerOf: (inFront) => inFront.findLast(({ marker }) => marker !== '__READ__'),
}
