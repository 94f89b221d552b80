/** What processes have used, as Linux tells it in /proc. */
import { readFileSync } from 'node:fs'

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** CPU seconds, of what ended and was waited for too. A process that is gone has none. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`)
    // The name in front may hold anything, spaces and brackets too. utime, stime, cutime, cstime are fields 14 to 17.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    for (const field of fields.slice(11, 15)) ticks += Number(field)
  }
  return ticks / ticksPerSecond
}

/** CPU seconds of the whole machine in which something ran. */
export function busySeconds(): number {
  const [, user, nice, system, , , irq, softirq] = read('/proc/stat')
    .slice(0, 200)
    .split(/\s+/)
    .map(Number)
  return [user, nice, system, irq, softirq].reduce<number>((sum, n) => sum + (n ?? 0), 0) / 100
}

/** Memory in use, MB: resident, so what processes share counts in each. */
export function memoryMb(pids: readonly number[]): number {
  let kb = 0
  for (const pid of pids) kb += Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
  return kb / 1024
}

/** Looks at memory now and then while something runs. */
export class MemoryWatch {
  readonly #pids: readonly number[]
  readonly #timer: NodeJS.Timeout
  #peakMb = 0

  constructor(pids: readonly number[]) {
    this.#pids = pids
    this.#look()
    this.#timer = setInterval(() => this.#look(), 200)
  }

  /** Ends it. */
  peakMb(): number {
    clearInterval(this.#timer)
    this.#look()
    return this.#peakMb
  }

  #look(): void {
    this.#peakMb = Math.max(this.#peakMb, memoryMb(this.#pids))
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
