/** A change of the members: the request → the next configuration, or why not, in the order of PrepRequestProcessor. */
import type { Decoded } from '../jute/codec.ts'
import type { ReconfigRequest } from '../jute/records.ts'
import { allows } from '../tree/acl.ts'
import { configPath } from '../tree/path.ts'
import { permissions } from '../wire/opcodes.ts'
import type { Refusal } from '../wire/refusals.ts'
import type { Configuration } from '../zab/configuration.ts'
import {
  BadConfiguration,
  changedConfiguration,
  readConfiguration,
} from '../zab/configuration-text.ts'
import type { PendingView } from './pending.ts'
import type { Asker, Rules } from './prepare.ts'

/** What the leader's consensus says of its members. */
export interface Ensemble {
  readonly active: Configuration
  /** Whether a quorum of this configuration follows us; its members are called, so that another try may find them. */
  gather(configuration: Configuration): boolean
}

export function prepareReconfig(
  request: Decoded<typeof ReconfigRequest>,
  asker: Asker,
  view: PendingView,
  ensemble: Ensemble,
  isInProgress: boolean,
): Configuration | Refusal {
  const { rules, zxid } = asker
  const { active } = ensemble
  if (!rules.reconfigEnabled) return 'ReconfigDisabled'
  if (isStandalone(active, rules)) return 'Unimplemented'
  if (isInProgress) return 'ReconfigInProgress'
  if (request.curConfigId !== -1 && request.curConfigId !== active.version) return 'BadVersion'
  const next = nextConfiguration(request, active, zxid, rules)
  if (typeof next === 'string') return next
  if (next.voters.length < (rules.standaloneEnabled ? 2 : 1)) return 'BadArguments'
  if (next.sids.some((sid) => sid > rules.maxMembers)) return 'BadArguments'
  // Votes without any weight decide nothing, ever.
  if (!next.quorum.isQuorum(next.electors)) return 'BadArguments'
  const isSynced = ensemble.gather(next)
  if (!isSynced) return 'NewConfigNoQuorum'
  const acl = view.get(configPath)?.acl ?? []
  return allows(acl, permissions.write, asker.identities) ? next : 'NoAuth'
}

/** One server alone has nobody to agree with, unless it was told to be an ensemble of one. */
export const isStandalone = (
  { servers }: Configuration,
  { standaloneEnabled }: Pick<Rules, 'standaloneEnabled'>,
): boolean => standaloneEnabled && servers.size === 1

function nextConfiguration(
  { joiningServers, leavingServers, newMembers }: Decoded<typeof ReconfigRequest>,
  active: Configuration,
  zxid: Asker['zxid'],
  { standaloneEnabled }: Rules,
): Configuration | Refusal {
  try {
    if (newMembers === null) {
      if (active.grouping) return 'BadArguments'
      return changedConfiguration(active, joiningServers, leavingServers, zxid)
    }
    const next = readConfiguration(newMembers.replaceAll(',', '\n'), zxid)
    // Java's IllegalArgumentException gets past the handler of bad configurations.
    const { length } = next.voters
    const isLeaderless = next.sids.length > length && length < (standaloneEnabled ? 2 : 1)
    return isLeaderless || (length === 0 && !standaloneEnabled) ? 'MarshallingError' : next
  } catch (fault) {
    if (!(fault instanceof BadConfiguration)) throw fault
    return fault.fault
  }
}
