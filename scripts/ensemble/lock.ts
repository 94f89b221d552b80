/**
 * One ensemble per data folder: two on the same files would destroy both. The file `lock` names the process that has the
 * folder and is touched while that process lives. It is nobody's when that process is gone: by its number and start time on
 * this machine; from elsewhere, another container or host, when nobody touches it any more. So a kill -9 leaves nothing
 * that an operator must clear away.
 */
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const touchMs = 2000
const pollMs = 100
/** A holder that did not touch its lock for so long is gone: several touches late. */
const silentMsMost = 10_000
const triesMax = 100

interface Holder {
  readonly pid: number
  readonly host: string
  /** When the process started, as Linux counts it: a number may be another process by now. */
  readonly started: string
}

export class FolderTaken extends Error {
  override readonly name = 'FolderTaken'
}

/** Takes the folder until this process ends. Throws FolderTaken. */
export async function lockFolder(folder: string, silentMs = silentMsMost): Promise<void> {
  // What stands in the folder is secret, so nobody else may read it.
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'lock')
  const own = { pid: process.pid, host: hostname(), started: startOf(process.pid) ?? '' }
  const draft = join(folder, `lock.${own.host}.${own.pid}`)
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 })
  try {
    await take(path, draft, silentMs)
  } finally {
    rmSync(draft, { force: true })
  }
  const touch = setInterval(() => touchLock(path), touchMs)
  touch.unref()
  process.once('exit', () => rmSync(path, { force: true }))
}

async function take(path: string, draft: string, silentMs: number): Promise<void> {
  for (let tries = 0; tries < triesMax; tries++) {
    if (linked(draft, path)) return
    const holder = readHolder(path)
    if (holder === undefined) continue
    if (await isAlive(holder, path, silentMs)) {
      throw new FolderTaken(
        `DATA_DIR is in use by process ${holder.pid} on ${holder.host}: end it, or set DATA_DIR to another folder ` +
          `(if that process is none of ours, remove ${path})`,
      )
    }
    removeStale(path, holder, draft)
  }
  throw new FolderTaken(`DATA_DIR cannot be locked: ${path} changes all the time`)
}

/** A link is made once, whoever else tries at the same time. */
function linked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Undefined: it has just gone, or is no lock of ours and therefore nobody's. */
function readHolder(path: string): Holder | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Holder>
    if (typeof pid === 'number' && typeof host === 'string' && typeof started === 'string') {
      return { pid, host, started }
    }
  } catch {
    // Told below.
  }
  throw new FolderTaken(`DATA_DIR has a file that is no lock of ours: ${path}`)
}

async function isAlive(holder: Holder, path: string, silentMs: number): Promise<boolean> {
  if (holder.host !== hostname()) return isTouched(path, silentMs)
  const started = startOf(holder.pid)
  if (started !== undefined) return holder.started === '' || holder.started === started
  return process.platform !== 'linux' && isRunning(holder.pid)
}

/** Clocks of other machines are not compared with ours: only whether the time moves counts. */
async function isTouched(path: string, silentMs: number): Promise<boolean> {
  const before = touchedAt(path)
  for (let waitedMs = 0; waitedMs < silentMs; waitedMs += pollMs) {
    await delay(pollMs)
    const now = touchedAt(path)
    if (now === undefined) return false
    if (now !== before) return true
  }
  return false
}

/** Two that find the same lock stale must not remove each other's new one: it is moved away, looked at, and put back. */
function removeStale(path: string, holder: Holder, draft: string): void {
  const aside = `${draft}.stale`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = readFileSync(aside, 'utf8')
  if (moved !== JSON.stringify(holder)) linked(aside, path)
  rmSync(aside, { force: true })
}

/** Field 22 of /proc/N/stat, after the name, which may hold anything; undefined where there is no such process or no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended, whoever has not noticed yet.
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function touchedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

function touchLock(path: string): void {
  const now = new Date()
  try {
    utimesSync(path, now, now)
  } catch {
    // The folder was removed under us; whoever did that knows.
  }
}
