/** What the environment of `npm start` and `npm run serve` may say, checked before anything is started. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parse } from 'smol-toml'
import { type Cluster, readCluster } from './cluster.ts'
import { readSettings, SettingsError } from '../../src/core/shared/read-settings.ts'
import { settingRows, type Settings } from '../../src/core/shared/settings.ts'

export const commandRows = {
  HTTP_PORT: {
    unit: 'port',
    default: '8787',
    meaning: 'HTTP and WebSocket port.',
  },
  BIND_ADDRESS: {
    unit: 'address',
    default: '127.0.0.1',
    meaning: 'The IP address every port listens on; 0.0.0.0 is all of IPv4.',
  },
  DATA_DIR: {
    unit: 'folder',
    default: '.durable-keeper',
    meaning:
      'Where the members keep their logs and trees. Both commands can read what the other wrote.',
  },
  DISK_RESERVE_MB: {
    unit: 'MB',
    default: '512',
    meaning:
      'With less room on the disk of `DATA_DIR`, what adds is refused; twice as much opens it again. 0: never.',
  },
  ADMIN_TOKEN: {
    unit: 'secret',
    default: 'made up and printed',
    meaning: 'Bearer token of every /admin request.',
  },
  SUPER_DIGEST: {
    unit: 'secret',
    default: 'none',
    meaning: '`super:` and the base64 SHA-1 of `super:password`: who proves it may do everything.',
  },
  BRIDGE_SECRET: {
    unit: 'secret',
    default: 'none',
    meaning: 'What a bridge must know to be believed about its clients’ addresses.',
  },
  VERBOSE: {
    unit: '0 or 1',
    default: '0',
    meaning: 'Also print the events of the Worker’s log, one JSON line each.',
  },
} as const

export interface Options {
  readonly settings: Settings
  /** The plain-text bindings of the Worker: wrangler.toml's, changed by the environment. */
  readonly vars: Readonly<Record<string, string>>
  readonly wrangler: WranglerConfig
  readonly httpPort: number
  readonly bindAddress: string
  readonly dataDir: string
  readonly diskReserveMb: number
  readonly adminToken: string
  readonly isVerbose: boolean
  /** The TCP port of each member that is served here, the first member's first. */
  readonly zkPorts: readonly number[]
  readonly cluster: Cluster | undefined
}

/** The part of wrangler.toml that both commands read; wrangler itself reads it all when the Worker is deployed. */
export interface WranglerConfig {
  readonly name: string
  readonly main: string
  readonly compatibility_date: string
  readonly compatibility_flags: readonly string[]
  readonly vars: Readonly<Record<string, string>>
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[]
  }
  readonly migrations: readonly { readonly new_sqlite_classes?: readonly string[] }[]
}

export const projectDir = resolve(import.meta.dirname, '../..')

type Env = Readonly<Record<string, string | undefined>>

export function readOptions(env: Env): Options {
  const text = (name: keyof typeof commandRows): string => env[name] || commandRows[name].default
  const wrangler = parse(
    readFileSync(resolve(projectDir, 'wrangler.toml'), 'utf8'),
  ) as unknown as WranglerConfig
  const adminToken = env['ADMIN_TOKEN'] || randomBytes(18).toString('base64url')
  const vars: Record<string, string> = { ...wrangler.vars, ADMIN_TOKEN: adminToken }
  for (const name of ['SUPER_DIGEST', 'BRIDGE_SECRET']) {
    const secret = env[name]
    if (secret) vars[name] = secret
  }
  for (const name of Object.keys(settingRows)) {
    const value = env[name]
    if (value) vars[name] = value
  }

  const complaints: string[] = []
  const settings = collecting(complaints, () => readSettings(vars)) ?? readSettings({})
  const { zkPort, maxMembers } = settings
  const cluster = readCluster(env, maxMembers, (complaint) => complaints.push(complaint))
  const served = cluster === undefined ? maxMembers : 1
  const zkPorts = Array.from({ length: served }, (_, index) => zkPort + index)
  const httpPort = Number(text('HTTP_PORT'))
  if (!Number.isInteger(httpPort) || httpPort < 1 || httpPort > 65535) {
    complaints.push(`HTTP_PORT is "${text('HTTP_PORT')}": must be a whole number from 1 to 65535`)
  }
  if (zkPorts.includes(httpPort)) {
    complaints.push(`HTTP_PORT is "${httpPort}": that is a member’s port, see ZK_PORT`)
  }
  const diskReserveMb = Number(text('DISK_RESERVE_MB'))
  if (!Number.isInteger(diskReserveMb) || diskReserveMb < 0) {
    complaints.push(
      `DISK_RESERVE_MB is "${text('DISK_RESERVE_MB')}": must be a whole number from 0`,
    )
  }
  if (isIP(text('BIND_ADDRESS')) === 0) {
    complaints.push(`BIND_ADDRESS is "${text('BIND_ADDRESS')}": must be an IP address`)
  }
  if (!['0', '1'].includes(text('VERBOSE'))) {
    complaints.push(`VERBOSE is "${text('VERBOSE')}": must be 0 or 1`)
  }
  if (complaints.length > 0) throw new SettingsError(complaints)

  return {
    settings,
    vars: { ...sharing(cluster), ...vars, ZK_PORT: String(zkPort), ...varsOf(cluster, env) },
    wrangler,
    httpPort,
    bindAddress: text('BIND_ADDRESS'),
    dataDir: resolve(text('DATA_DIR')),
    diskReserveMb,
    adminToken,
    isVerbose: text('VERBOSE') === '1',
    zkPorts,
    cluster,
  }
}

/** Members of one process share a disk and a thread: what not all of them must do at once costs the others time. */
const sharing = (cluster: Cluster | undefined): Readonly<Record<string, string>> =>
  cluster === undefined ? { PROPOSE_TO_QUORUM: 'true' } : {}

/** What the Worker must know of its cluster. */
function varsOf(cluster: Cluster | undefined, env: Env): Readonly<Record<string, string>> {
  if (cluster === undefined) return {}
  const { instance, key } = cluster
  return { INSTANCE: `${instance}`, CLUSTER_KEY: key, CLUSTER_PEERS: env['CLUSTER_PEERS'] ?? '' }
}

/** Everything that is wrong is told at once, so a bad setting waits for the other complaints. */
function collecting<T>(complaints: string[], read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    complaints.push(...error.complaints)
    return undefined
  }
}
