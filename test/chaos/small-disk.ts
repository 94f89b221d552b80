/** A folder that is a disk of its own, small enough to be filled. Linux, and root, can mount one. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const megabytes = 256
const pebble = Buffer.alloc(64 * 1024)

export class SmallDisk {
  readonly #folder: string
  readonly #ballast: string

  private constructor(folder: string) {
    this.#folder = folder
    this.#ballast = join(folder, 'ballast')
  }

  /** Undefined where we may not mount one: not root, or root of a container that may not. */
  static at(folder: string): SmallDisk | undefined {
    const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]
    const { status } = spawnSync('mount', options, { stdio: 'ignore' })
    if (status === 0) return new SmallDisk(folder)
    console.log(`no disk can be mounted at ${folder}: no disk will be filled`)
    return undefined
  }

  fill(isFull: boolean): void {
    rmSync(this.#ballast, { force: true })
    if (!isFull) return
    const file = openSync(this.#ballast, 'w')
    try {
      for (;;) writeSync(file, pebble)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(file)
    }
  }

  unmount(): void {
    spawnSync('umount', ['-l', this.#folder])
  }
}
