// Every setting of an ensemble, in one table: the Worker, the two commands and the README all read it here.
// Names are ZooKeeper's own, in upper snake case: tickTime is TICK_TIME.

export interface Settings {
  readonly ensemble: string
  readonly members: number
  readonly observers: number
  readonly maxMembers: number
  /** Sids by group, as GROUPS says; empty: the majority decides. */
  readonly groups: readonly (readonly number[])[]
  /** Votes of those who have not one each. */
  readonly weights: ReadonlyMap<number, number>
  readonly reconfigEnabled: boolean
  readonly standaloneEnabled: boolean
  readonly advertisedHost: string | undefined
  readonly zkPort: number
  readonly tickTimeMs: number
  readonly initLimitTicks: number
  readonly syncLimitTicks: number
  readonly finalizeWaitMs: number
  readonly proposeToQuorum: boolean
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly fourLetterWords: ReadonlySet<string>
  readonly sessionsPerActor: number
  readonly juteMaxBufferBytes: number
  readonly globalOutstandingLimit: number
  readonly snapCountTxns: number
  readonly commitLogCountTxns: number
  readonly storageLimitMb: number
  readonly extendedTypesEnabled: boolean
  readonly enforceQuota: boolean
  readonly containerCheckIntervalMs: number
  readonly containerMaxPerMinute: number
  readonly maxClientCnxns: number
  readonly maxCnxns: number
  readonly requestThrottleMaxRequests: number
  readonly throttledOpWaitTimeMs: number
  readonly localSessionsEnabled: boolean
  readonly localSessionsUpgradingEnabled: boolean
  readonly readOnlyMode: boolean
  readonly enforceAuthSchemes: ReadonlySet<string>
}

export const settingRows = {
  ENSEMBLE: {
    kind: 'name',
    unit: 'name',
    default: 'main',
    meaning: 'Names the ensemble’s actors: another name is another, empty ensemble.',
  },
  MEMBERS: {
    kind: 'integer',
    unit: 'members',
    default: 3,
    min: 1,
    max: 9,
    meaning: 'Members that vote at first. 1 is a standalone server.',
  },
  OBSERVERS: {
    kind: 'integer',
    unit: 'members',
    default: 0,
    min: 0,
    max: 16,
    meaning: 'Members that serve and learn at first, and do not vote.',
  },
  MAX_MEMBERS: {
    kind: 'integer',
    unit: 'members',
    default: { sumOf: ['MEMBERS', 'OBSERVERS'] },
    min: 1,
    max: 32,
    meaning: 'The highest number a member may have: as many TCP ports are open. Room for reconfig.',
  },
  GROUPS: {
    kind: 'text',
    unit: 'members',
    pattern: /^\d+(:\d+)*(,\d+(:\d+)*)*$/,
    allowed: 'like 1:2:3,4:5:6',
    meaning:
      'Groups of voters at first: a majority of groups, each by a majority of its weight, decides.',
  },
  WEIGHTS: {
    kind: 'text',
    unit: 'votes',
    pattern: /^\d+=\d+(,\d+=\d+)*$/,
    allowed: 'like 3=0,4=2',
    meaning: 'With GROUPS: members whose vote is not 1. Who has 0 never leads.',
  },
  RECONFIG_ENABLED: {
    kind: 'flag',
    unit: 'true or false',
    default: false,
    meaning: 'Members may be changed by reconfig.',
  },
  STANDALONE_ENABLED: {
    kind: 'flag',
    unit: 'true or false',
    default: true,
    meaning: 'One member alone is a standalone server. If not, it is an ensemble that can grow.',
  },
  ADVERTISED_HOST: {
    kind: 'text',
    unit: 'host',
    pattern: /^[\w.-]{1,253}$/,
    allowed: 'a name or an IPv4 address',
    meaning:
      'By which clients reach the TCP ports: the first /zookeeper/config tells it, Curator uses it.',
  },
  ZK_PORT: {
    kind: 'integer',
    unit: 'port',
    default: 2181,
    min: 1,
    max: 65535,
    meaning: 'TCP port of the first member; each next member has the next port.',
  },
  TICK_TIME: {
    kind: 'integer',
    unit: 'ms',
    default: 2000,
    min: 20,
    max: 60_000,
    meaning: 'The tick that limits and session timeouts are counted in.',
  },
  INIT_LIMIT: {
    kind: 'integer',
    unit: 'ticks',
    default: 10,
    min: 1,
    max: 1000,
    meaning: 'How long a learner may take to find and catch up with its leader.',
  },
  SYNC_LIMIT: {
    kind: 'integer',
    unit: 'ticks',
    default: 5,
    min: 1,
    max: 1000,
    meaning: 'How long a leader and a learner may be silent to each other.',
  },
  FINALIZE_WAIT: {
    kind: 'integer',
    unit: 'ms',
    default: 200,
    min: 0,
    max: 10_000,
    meaning: 'How long an election waits for a better vote once it has a quorum.',
  },
  PROPOSE_TO_QUORUM: {
    kind: 'flag',
    unit: 'true or false',
    default: false,
    meaning:
      'A proposal goes at once only to as many followers as are a quorum with the leader, and to the others with its commit, or a little later; and a follower that is a quorum with the leader commits when both disks have it, without hearing of it. For members that share a machine: `npm start` and `npm run serve` without INSTANCE set it.',
  },
  MIN_SESSION_TIMEOUT: {
    kind: 'integer',
    unit: 'ms',
    default: { times: 2, of: 'TICK_TIME' },
    min: 1,
    max: 86_400_000,
    meaning: 'The shortest session timeout a client is granted.',
  },
  MAX_SESSION_TIMEOUT: {
    kind: 'integer',
    unit: 'ms',
    default: { times: 20, of: 'TICK_TIME' },
    min: 1,
    max: 86_400_000,
    meaning: 'The longest session timeout a client is granted.',
  },
  FOUR_LETTER_WORDS: {
    kind: 'words',
    unit: 'words',
    default: 'srvr',
    allowed:
      'conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs',
    meaning: 'Four-letter words that are answered: a comma list, or * for all.',
  },
  SESSIONS_PER_ACTOR: {
    kind: 'integer',
    unit: 'sessions',
    default: 500,
    min: 1,
    max: 10_000, // the platform allows 32 768 sockets an actor, but its 128 MB are spent before that
    meaning: 'Sessions one actor holds before the next actor is tried.',
  },
  JUTE_MAX_BUFFER: {
    kind: 'integer',
    unit: 'bytes',
    default: 1_048_575,
    min: 1024,
    max: 1_500_000, // a txn must fit one SQLite row of 2 MB
    meaning: 'The longest frame a client may send.',
  },
  GLOBAL_OUTSTANDING_LIMIT: {
    kind: 'integer',
    unit: 'requests',
    default: 1000,
    min: 1,
    max: 100_000,
    meaning:
      'Requests of one session actor that may wait for their replies; then TCP connections that have some are read slower.',
  },
  MAX_CLIENT_CNXNS: {
    kind: 'integer',
    unit: 'connections',
    default: 0,
    min: 0,
    max: 100_000,
    meaning: 'Sessions of one client address that a member serves at a time. 0: no limit.',
  },
  MAX_CNXNS: {
    kind: 'integer',
    unit: 'connections',
    default: 0,
    min: 0,
    max: 1_000_000,
    meaning: 'Sessions that a member serves at a time. 0: no limit.',
  },
  REQUEST_THROTTLE_MAX_REQUESTS: {
    kind: 'integer',
    unit: 'requests',
    default: 0,
    min: 0,
    max: 1_000_000,
    meaning:
      'Writes and syncs a member may have under way at the leader; further ones wait their turn. 0: no limit.',
  },
  THROTTLED_OP_WAIT_TIME: {
    kind: 'integer',
    unit: 'ms',
    default: 0,
    min: 0,
    max: 3_600_000,
    meaning: 'A request that waited longer for its turn is answered −127, untried. 0: it waits on.',
  },
  LOCAL_SESSIONS_ENABLED: {
    kind: 'flag',
    unit: 'true or false',
    default: false,
    meaning:
      'A session begins without a txn, known to its actor only, until it creates an ephemeral.',
  },
  LOCAL_SESSIONS_UPGRADING_ENABLED: {
    kind: 'flag',
    unit: 'true or false',
    default: true,
    meaning: 'A local session that creates an ephemeral becomes a global one; otherwise −120.',
  },
  READ_ONLY_MODE: {
    kind: 'flag',
    unit: 'true or false',
    default: false,
    meaning: 'A member without a quorum serves reads to clients that said they would take that.',
  },
  ENFORCE_AUTH_SCHEMES: {
    kind: 'words',
    unit: 'schemes',
    default: '',
    allowed: 'digest ip super x509',
    meaning:
      'A connection must have proved itself by one of these before it asks anything: a comma list. Unset: anybody may ask.',
  },
  SNAP_COUNT: {
    kind: 'integer',
    unit: 'txns',
    default: 100_000,
    min: 1,
    max: 1_000_000,
    meaning: 'Txns between two checkpoints of the tree.',
  },
  COMMIT_LOG_COUNT: {
    kind: 'integer',
    unit: 'txns',
    default: 500,
    min: 1,
    max: 100_000,
    meaning: 'Committed txns kept, so that a late learner gets a DIFF and not a snapshot.',
  },
  STORAGE_LIMIT_MB: {
    kind: 'integer',
    unit: 'MB',
    // An actor may have 10 GB, and one that is given a snapshot has its old tree beside the new one.
    default: 4096,
    min: 1,
    max: 9000,
    meaning:
      'Above it a member’s disk counts as full: what adds is refused, reads and deletes go on.',
  },
  EXTENDED_TYPES_ENABLED: {
    kind: 'flag',
    unit: 'true or false',
    default: true,
    meaning: 'Nodes with a time to live may be created.',
  },
  ENFORCE_QUOTA: {
    kind: 'flag',
    unit: 'true or false',
    default: false,
    meaning: 'A hard quota refuses what exceeds it; otherwise it is only logged.',
  },
  CONTAINER_CHECK_INTERVAL_MS: {
    kind: 'integer',
    unit: 'ms',
    default: 60_000,
    min: 100,
    max: 86_400_000,
    meaning: 'How often empty containers and nodes past their time to live are looked for.',
  },
  CONTAINER_MAX_PER_MINUTE: {
    kind: 'integer',
    unit: 'nodes',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    meaning: 'How many of those are deleted in a minute at most.',
  },
} as const satisfies Record<string, SettingRow>

export type SettingName = keyof typeof settingRows

export type SettingRow = { readonly unit: string; readonly meaning: string } & (
  | { readonly kind: 'name'; readonly default: string }
  | { readonly kind: 'flag'; readonly default: boolean }
  | { readonly kind: 'text'; readonly pattern: RegExp; readonly allowed: string }
  | { readonly kind: 'words'; readonly default: string; readonly allowed: string }
  | {
      readonly kind: 'integer'
      readonly default:
        | number
        | { readonly times: number; readonly of: string }
        | { readonly sumOf: readonly string[] }
      readonly min: number
      readonly max: number
    }
)
