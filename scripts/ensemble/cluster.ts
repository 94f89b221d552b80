/** What makes `npm run serve` one instance of a cluster: checked here, explained in docs/self-hosting.md. */
import { isIPv6 } from 'node:net'

export const clusterRows = {
  INSTANCE: {
    unit: 'number',
    default: 'none: no cluster',
    meaning: 'Which instance this is, counted from 1. Member N runs on instance N.',
  },
  CLUSTER_PEERS: {
    unit: 'host:port, …',
    default: 'none',
    meaning:
      'Where the instances reach each other, the first one’s address first, as many as there are members and observers. Each takes its port and the next one.',
  },
  CLUSTER_BUCKET: {
    unit: 'URL',
    default: 'none',
    meaning:
      'The bucket they share: `s3://bucket/prefix` or `gs://bucket/prefix`. AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID … tell workerd how to reach it.',
  },
  CLUSTER_KEY: {
    unit: 'secret',
    default: 'none',
    meaning:
      'What the instances know each other by: at least 32 bytes (`openssl rand -hex 32`), the same everywhere.',
  },
} as const

export interface Peer {
  /** IPv6 in brackets. */
  readonly host: string
  /** Of the runtime’s own traffic. The member’s door is at the next port. */
  readonly port: number
}

export interface Cluster {
  readonly instance: number
  /** Instance 1 first. */
  readonly peers: readonly Peer[]
  readonly bucket: string
  readonly key: string
}

export const peerAddress = ({ host, port }: Peer): string => `${host}:${port}`
export const doorAddress = ({ host, port }: Peer): string => `${host}:${port + 1}`
/** As sockets want it, IPv6 without brackets. */
export const bareHost = ({ host }: Peer): string => host.replace(/^\[|\]$/g, '')

/** The instance's own. The settings were checked: it has one. */
export function ownPeer({ instance, peers }: Cluster): Peer {
  const own = peers[instance - 1]
  if (own === undefined) throw new Error(`CLUSTER_PEERS has no instance ${instance}`)
  return own
}

const keyBytesMin = 32

/** Undefined without INSTANCE. Complains about everything that is wrong. */
export function readCluster(
  env: Readonly<Record<string, string | undefined>>,
  members: number,
  complain: (complaint: string) => void,
): Cluster | undefined {
  const text = (name: keyof typeof clusterRows): string => env[name] || ''
  const instance = Number(text('INSTANCE'))
  if (text('INSTANCE') === '') {
    for (const name of Object.keys(clusterRows) as (keyof typeof clusterRows)[]) {
      if (text(name) !== '') complain(`${name} is set, but INSTANCE is not`)
    }
    return undefined
  }
  if (!Number.isInteger(instance) || instance < 1 || instance > members) {
    complain(`INSTANCE is "${text('INSTANCE')}": must be a whole number from 1 to ${members}`)
  }
  const peers = text('CLUSTER_PEERS').split(',').map(readPeer)
  if (peers.length !== members || peers.includes(undefined)) {
    complain(`CLUSTER_PEERS is "${text('CLUSTER_PEERS')}": must be ${members} times host:port`)
  }
  if (!/^(s3|gs):\/\/[^/]+/.test(text('CLUSTER_BUCKET'))) {
    complain(`CLUSTER_BUCKET is "${text('CLUSTER_BUCKET')}": must be s3://… or gs://…`)
  }
  if (Buffer.byteLength(text('CLUSTER_KEY')) < keyBytesMin) {
    complain(`CLUSTER_KEY is a secret of at least ${keyBytesMin} bytes`)
  }
  return {
    instance,
    peers: peers.filter((peer) => peer !== undefined),
    bucket: text('CLUSTER_BUCKET'),
    key: text('CLUSTER_KEY'),
  }
}

function readPeer(address: string): Peer | undefined {
  const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(address.trim()) ?? []
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (bare === '' || (host === bare && bare.includes(':'))) return undefined
  if (Number(port) < 1 || Number(port) >= 65535) return undefined
  return { host: isIPv6(bare) ? `[${bare}]` : bare, port: Number(port) }
}
