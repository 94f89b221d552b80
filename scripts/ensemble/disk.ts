/** Watches the disk under DATA_DIR: no actor can see how much room is left on it, and a write that finds none ends the actor. */
import { statfs } from 'node:fs/promises'
import type { Options } from './options.ts'

export class DiskWatch {
  readonly #options: Options
  #isFull = false

  constructor(options: Options) {
    this.#options = options
  }

  /** What the members must know; prints what changed. A disk is free again with twice the reserve. */
  async look(): Promise<'full' | 'free'> {
    const { dataDir, diskReserveMb } = this.#options
    const { bavail, bsize } = await statfs(dataDir)
    const freeMb = (bavail * bsize) / 1_000_000
    const isFull = freeMb < diskReserveMb * (this.#isFull ? 2 : 1)
    if (isFull === this.#isFull) return this.#state
    this.#isFull = isFull
    const room = `${Math.floor(freeMb)} MB are left on the disk of ${dataDir}`
    console.log(
      isFull
        ? `${room}: writes that add are refused until there are ${2 * diskReserveMb} MB`
        : `${room}: writes are taken again`,
    )
    return this.#state
  }

  get #state(): 'full' | 'free' {
    return this.#isFull ? 'full' : 'free'
  }
}
