/**
 * Quotas: where they stand in the tree and what their texts say (Quotas, StatsTrack). The limits of `/a/b` are the data of
 * `/zookeeper/quota/a/b/zookeeper_limits`; what is used of them stands beside, in `zookeeper_stats`.
 */
import { nameOf, parentOf } from './path.ts'

export const quotaRoot = '/zookeeper/quota'
export const limitsName = 'zookeeper_limits'
export const statsName = 'zookeeper_stats'

/** The path a node below /zookeeper/quota is about: that of its parent, without the quota's own place. */
export function quotaSubject(path: string, name: string): string | undefined {
  const parent = parentOf(path)
  if (nameOf(path) !== name || !parent.startsWith(`${quotaRoot}/`)) return undefined
  return parent.slice(quotaRoot.length)
}

export const limitsPathOf = (subject: string): string => `${quotaRoot}${subject}/${limitsName}`
export const statsPathOf = (subject: string): string => `${quotaRoot}${subject}/${statsName}`

/** What a limits or stats node says; −1 is no limit. */
export interface QuotaText {
  readonly count: number
  readonly bytes: number
  readonly countHardLimit: number
  readonly byteHardLimit: number
}

/** `count=3,bytes=-1=;countHardLimit=5`: unreadable parts count as no limit. */
export function readQuota(data: Uint8Array | null): QuotaText {
  const text = data === null ? '' : String.fromCharCode(...data.subarray(0, 200))
  const found = (name: string): number => {
    const part = new RegExp(`(?:^|[,;])${name}=(-?\\d+)`).exec(text)
    return part === null ? -1 : Number(part[1])
  }
  return {
    count: found('count'),
    bytes: found('bytes'),
    countHardLimit: found('countHardLimit'),
    byteHardLimit: found('byteHardLimit'),
  }
}

/** The text of a stats node. */
export function writeUsage(count: number, bytes: number): Uint8Array {
  return Uint8Array.from(`count=${count},bytes=${bytes}`, (digit) => digit.charCodeAt(0))
}
