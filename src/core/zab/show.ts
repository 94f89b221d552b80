import { counterOf, epochOf, type Zxid } from '../shared/units.ts'
import type { Configuration } from './configuration.ts'

/** `1:7`, a zxid for a log line: epoch and counter. */
export const showPoint = (zxid: Zxid): string => `${epochOf(zxid)}:${counterOf(zxid)}`

/** `voters 1 2 3, observers 4` */
export function showMembers({ voters, sids }: Configuration): string {
  const observers = sids.filter((sid) => !voters.includes(sid))
  const observe = observers.length === 0 ? '' : `, observers ${observers.join(' ')}`
  return `voters ${voters.join(' ')}${observe}`
}
