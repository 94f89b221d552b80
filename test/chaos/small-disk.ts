/** A folder that is a disk of its own, small enough to be filled. Only root can mount one. */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const megabytes = 256
const pebble = Buffer.alloc(64 * 1024)

export class SmallDisk {
  static readonly isPossible = process.platform === 'linux' && process.getuid?.() === 0

  readonly #folder: string
  readonly #ballast: string

  constructor(folder: string) {
    this.#folder = folder
    this.#ballast = join(folder, 'ballast')
    mount(['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder])
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

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`)
}
