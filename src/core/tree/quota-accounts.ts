/** Which quotas stand, and what is used of each. The longest subject that holds a path is the one that counts. */
import type { CachedNode, NodeCache } from './node-cache.ts'
import { parentOf } from './path.ts'
import {
  limitsName,
  limitsPathOf,
  quotaRoot,
  quotaSubject,
  type QuotaText,
  readQuota,
  statsName,
  statsPathOf,
  writeUsage,
} from './quota.ts'
import type { Znode } from './znode.ts'

/** The quota that covers a path, and what is used of it. */
export interface QuotaOver {
  readonly subject: string
  readonly limits: QuotaText
  readonly used: QuotaText
}

export class QuotaAccounts {
  readonly #cache: NodeCache
  readonly #setUsage: (node: CachedNode, data: Uint8Array) => void
  readonly #subjects = new Set<string>()

  constructor(cache: NodeCache, setUsage: (node: CachedNode, data: Uint8Array) => void) {
    this.#cache = cache
    this.#setUsage = setUsage
  }

  /** Finds the quotas of a tree that was opened. */
  load(): void {
    for (const { path } of this.#cache.subtree(quotaRoot)) {
      const subject = quotaSubject(path, limitsName)
      if (subject !== undefined) this.#subjects.add(subject)
    }
  }

  /** The quota that covers `path`, and what is used of it; undefined where none does. */
  over(path: string): QuotaOver | undefined {
    const subject = this.#subjectOver(path)
    if (subject === undefined) return undefined
    const limits = this.#cache.get(limitsPathOf(subject))
    const used = this.#cache.get(statsPathOf(subject))
    if (limits === undefined || used === undefined) return undefined
    return { subject, limits: readQuota(limits.data), used: readQuota(used.data) }
  }

  created(path: string, node: Znode): void {
    const limited = quotaSubject(path, limitsName)
    if (limited !== undefined) this.#subjects.add(limited)
    const counted = quotaSubject(path, statsName)
    if (counted !== undefined) this.#recount(counted)
    this.used(path, node.data?.length ?? 0, 1)
  }

  deleted(path: string, node: Znode): void {
    const limited = quotaSubject(path, limitsName)
    if (limited !== undefined) this.#subjects.delete(limited)
    this.used(path, -(node.data?.length ?? 0), -1)
  }

  /** Adds to what is used of the quota over `path`. */
  used(path: string, bytes: number, count: number): void {
    const subject = this.#subjectOver(path)
    const stats = subject === undefined ? undefined : this.#cache.get(statsPathOf(subject))
    if (subject === undefined || stats === undefined) return
    const before = readQuota(stats.data)
    const usage = writeUsage(before.count + count, before.bytes + bytes)
    this.#setUsage(stats, usage)
  }

  #subjectOver(path: string): string | undefined {
    if (this.#subjects.size === 0) return undefined
    for (let at = path; at !== '/'; at = parentOf(at)) {
      if (this.#subjects.has(at) && at !== '/zookeeper') return at
    }
    return undefined
  }

  /** A new stats node is filled with what is there already, the subject itself among it. */
  #recount(subject: string): void {
    const stats = this.#cache.get(statsPathOf(subject))
    if (stats === undefined) return
    const { count, bytes } = this.#usageOf(subject)
    this.#setUsage(stats, writeUsage(count, bytes))
  }

  #usageOf(subject: string): { count: number; bytes: number } {
    let [count, bytes] = [0, 0]
    for (const { data } of this.#cache.subtree(subject)) {
      count += 1
      bytes += data?.length ?? 0
    }
    return { count, bytes }
  }
}
