/** Reads the settings from what the operator wrote, and says of each bad one what it must be. */
import { type SettingName, type SettingRow, settingRows, type Settings } from './settings.ts'

/** Reads every setting or refuses them all: the error names each bad one. Unset and empty mean the default. */
export function readSettings(vars: Vars): Settings {
  const complaints: string[] = []
  const complain = (complaint: string): void => void complaints.push(complaint)
  const integer = (name: Named<'integer'>): number => {
    const { min, max, default: fallback } = settingRows[name]
    if (isUnset(vars[name])) {
      if (typeof fallback === 'number') return fallback
      return 'sumOf' in fallback
        ? fallback.sumOf.reduce((sum, one) => sum + integer(one), 0)
        : fallback.times * integer(fallback.of)
    }
    const number = /^-?\d+$/.test(textOf(vars[name])) ? Number(vars[name]) : NaN
    if (number >= min && number <= max) return number
    complain(`${named(vars, name)}: must be a whole number from ${min} to ${max}`)
    return min
  }

  const settings: Settings = {
    ensemble: readName(vars, 'ENSEMBLE', complain),
    members: integer('MEMBERS'),
    observers: integer('OBSERVERS'),
    maxMembers: integer('MAX_MEMBERS'),
    groups: groupsOf(readText(vars, 'GROUPS', complain)),
    weights: weightsOf(readText(vars, 'WEIGHTS', complain)),
    reconfigEnabled: readFlag(vars, 'RECONFIG_ENABLED', complain),
    standaloneEnabled: readFlag(vars, 'STANDALONE_ENABLED', complain),
    advertisedHost: readText(vars, 'ADVERTISED_HOST', complain),
    zkPort: integer('ZK_PORT'),
    tickTimeMs: integer('TICK_TIME'),
    initLimitTicks: integer('INIT_LIMIT'),
    syncLimitTicks: integer('SYNC_LIMIT'),
    finalizeWaitMs: integer('FINALIZE_WAIT'),
    proposeToQuorum: readFlag(vars, 'PROPOSE_TO_QUORUM', complain),
    minSessionTimeoutMs: integer('MIN_SESSION_TIMEOUT'),
    maxSessionTimeoutMs: integer('MAX_SESSION_TIMEOUT'),
    fourLetterWords: readWords(vars, 'FOUR_LETTER_WORDS', complain),
    sessionsPerActor: integer('SESSIONS_PER_ACTOR'),
    juteMaxBufferBytes: integer('JUTE_MAX_BUFFER'),
    globalOutstandingLimit: integer('GLOBAL_OUTSTANDING_LIMIT'),
    snapCountTxns: integer('SNAP_COUNT'),
    commitLogCountTxns: integer('COMMIT_LOG_COUNT'),
    storageLimitMb: integer('STORAGE_LIMIT_MB'),
    extendedTypesEnabled: readFlag(vars, 'EXTENDED_TYPES_ENABLED', complain),
    enforceQuota: readFlag(vars, 'ENFORCE_QUOTA', complain),
    containerCheckIntervalMs: integer('CONTAINER_CHECK_INTERVAL_MS'),
    containerMaxPerMinute: integer('CONTAINER_MAX_PER_MINUTE'),
    maxClientCnxns: integer('MAX_CLIENT_CNXNS'),
    maxCnxns: integer('MAX_CNXNS'),
    requestThrottleMaxRequests: integer('REQUEST_THROTTLE_MAX_REQUESTS'),
    throttledOpWaitTimeMs: integer('THROTTLED_OP_WAIT_TIME'),
    localSessionsEnabled: readFlag(vars, 'LOCAL_SESSIONS_ENABLED', complain),
    localSessionsUpgradingEnabled: readFlag(vars, 'LOCAL_SESSIONS_UPGRADING_ENABLED', complain),
    readOnlyMode: readFlag(vars, 'READ_ONLY_MODE', complain),
    enforceAuthSchemes: readWords(vars, 'ENFORCE_AUTH_SCHEMES', complain),
  }
  // How settings go together can only be judged when each is good by itself.
  if (complaints.length === 0) complainOfPairs(settings, complain)
  if (complaints.length > 0) throw new SettingsError([...new Set(complaints)])
  return settings
}

export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly complaints: readonly string[]

  constructor(complaints: readonly string[]) {
    super(`bad settings:\n${complaints.map((complaint) => `  ${complaint}`).join('\n')}`)
    this.complaints = complaints
  }
}

/** The settings of a kind. */
type Named<Kind extends SettingRow['kind']> = {
  [N in SettingName]: (typeof settingRows)[N]['kind'] extends Kind ? N : never
}[SettingName]

type Vars = Readonly<Record<string, unknown>>
type Complain = (complaint: string) => void

function complainOfPairs(settings: Settings, complain: Complain): void {
  const { minSessionTimeoutMs, maxSessionTimeoutMs, zkPort, maxMembers } = settings
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    complain(
      `MIN_SESSION_TIMEOUT is ${minSessionTimeoutMs}: must not exceed MAX_SESSION_TIMEOUT, which is ${maxSessionTimeoutMs}`,
    )
  }
  complainOfMembers(settings, complain)
  const lastPort = zkPort + maxMembers - 1
  if (lastPort > 65535) {
    complain(`ZK_PORT is ${zkPort}: the last member’s port would be ${lastPort}, above 65535`)
  }
}

function complainOfMembers(settings: Settings, complain: Complain): void {
  const { members, observers, maxMembers, groups, weights } = settings
  if (maxMembers < members + observers) {
    complain(`MAX_MEMBERS is ${maxMembers}: there are ${members + observers} members at first`)
  }
  if (groups.length === 0 && weights.size === 0) return
  const grouped = groups.flat().toSorted((a, b) => a - b)
  const isEach = grouped.length === members && grouped.every((sid, at) => sid === at + 1)
  if (!isEach) complain(`GROUPS must name each of the ${members} voters once`)
  const stranger = [...weights.keys()].find((sid) => sid < 1 || sid > members)
  if (stranger !== undefined) complain(`WEIGHTS: ${stranger} is no voter`)
  const heavy = groups.filter((group) => group.some((sid) => weights.get(sid) !== 0))
  if (heavy.length === 0) complain('WEIGHTS: somebody’s vote must have a weight')
}

const groupsOf = (text: string | undefined): number[][] =>
  text === undefined ? [] : text.split(',').map((group) => group.split(':').map(Number))

const weightsOf = (text: string | undefined): ReadonlyMap<number, number> =>
  new Map(
    (text?.split(',') ?? []).map((one) => {
      const [sid = 0, weight = 1] = one.split('=').map(Number)
      return [sid, weight]
    }),
  )

function readText(vars: Vars, name: Named<'text'>, complain: Complain): string | undefined {
  if (isUnset(vars[name])) return undefined
  const { pattern, allowed } = settingRows[name]
  const text = textOf(vars[name])
  if (pattern.test(text)) return text
  complain(`${named(vars, name)}: must be ${allowed}`)
  return undefined
}

function readName(vars: Vars, name: 'ENSEMBLE', complain: Complain) {
  if (isUnset(vars[name])) return settingRows[name].default
  const text = textOf(vars[name])
  if (!/^[a-z0-9-]{1,32}$/.test(text)) {
    complain(`${named(vars, name)}: must be 1 to 32 characters of a-z, 0-9 and -`)
  }
  return text
}

function readWords(vars: Vars, name: Named<'words'>, complain: Complain): ReadonlySet<string> {
  const { allowed, default: fallback } = settingRows[name]
  const known = new Set(allowed.split(' '))
  const text = isUnset(vars[name]) ? fallback : textOf(vars[name])
  if (text === '') return new Set()
  if (text.trim() === '*') return known
  const words = text.split(',').map((word) => word.trim())
  if (words.some((word) => !known.has(word))) {
    complain(`${named(vars, name)}: must be * or a comma list of: ${allowed}`)
  }
  return new Set(words)
}

function readFlag(vars: Vars, name: Named<'flag'>, complain: Complain): boolean {
  if (isUnset(vars[name])) return settingRows[name].default
  const text = textOf(vars[name])
  if (text !== 'true' && text !== 'false') {
    complain(`${named(vars, name)}: must be true or false`)
  }
  return text === 'true'
}

const isUnset = (value: unknown): boolean => value === undefined || value === ''

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

const named = (vars: Vars, name: SettingName): string => `${name} is ${JSON.stringify(vars[name])}`
