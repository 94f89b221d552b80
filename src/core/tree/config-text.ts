/** What /zookeeper/config says: who the members are. */
import type { Sid } from '../shared/units.ts'

/** The version of an ensemble that was never reconfigured: the zxid of its first NEWLEADER. */
export const firstConfigVersion = 0x1_0000_0000

/**
 * ZooKeeper's lines, without client addresses: Curator would replace its own by them, and only whoever deploys an ensemble
 * knows by which its clients come in. A standalone server's config is empty.
 */
export function configText(voters: readonly Sid[], observers: readonly Sid[]): Uint8Array {
  if (voters.length + observers.length === 1) return new Uint8Array(0)
  const line = (sid: Sid, role: string): string => `server.${sid}=member-${sid}:2888:3888:${role}`
  const text = [
    ...voters.map((sid) => line(sid, 'participant')),
    ...observers.map((sid) => line(sid, 'observer')),
    `version=${firstConfigVersion.toString(16)}`,
  ].join('\n')
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}
