/** The four-letter words: what monitoring asks on the client port, answered as ZooKeeper prints it. */
import type { ClientLine } from '../core/session/desk/edges.ts'
import type { MemberStatus } from '../actors/member-status.ts'

/** What a word may ask of the member. */
export interface Asked {
  status(): Promise<MemberStatus>
  clients(): Promise<ClientLine[]>
}

/** ZooKeeper's version whose answers we give, then ours. Clients parse the first three numbers. */
export const version = '3.9.5-durable-keeper-0.1.0, built on 2026-11-22 00:00 UTC'

const notServing = 'This ZooKeeper instance is not currently serving requests\n'

type Word = (member: Asked) => Promise<string>

const words = {
  ruok: async () => 'imok',
  srvr: (member) => whileServing(member, async (status) => serverLines(status)),
  stat: (member) =>
    whileServing(member, async (status) => {
      const clients = await member.clients()
      return `Zookeeper version: ${version}\nClients:\n${clients.map(clientLine).join('')}\n${figures(status)}`
    }),
  mntr: (member) => whileServing(member, async (status) => monitorLines(status)),
  isro: async (member) => {
    const { isServing, isReadOnly } = await member.status()
    if (isReadOnly) return 'ro'
    return isServing ? 'rw' : 'null'
  },
  envi: async () => `Environment:\nzookeeper.version=${version}\nhost.name=durable-keeper\n`,
} as const satisfies Record<string, Word>

/** Words that exist here and may be enabled. */
export const isWord = (text: string): text is keyof typeof words => Object.hasOwn(words, text)

/** The answer to a word. */
export async function answerWord(
  word: string,
  allowed: ReadonlySet<string>,
  member: Asked,
): Promise<string> {
  if (!allowed.has(word) || !isWord(word)) {
    return `${word} is not executed because it is not in the whitelist.\n`
  }
  try {
    return await words[word](member)
  } catch {
    // A member that cannot be asked does not serve; that is all the asker wants to know.
    return notServing
  }
}

async function whileServing(
  member: Asked,
  answer: (status: MemberStatus) => Promise<string>,
): Promise<string> {
  const status = await member.status()
  return status.isServing || status.isReadOnly ? answer(status) : notServing
}

const serverLines = (status: MemberStatus): string =>
  `Zookeeper version: ${version}\n${figures(status)}`

function figures({ latencyMs, ...status }: MemberStatus): string {
  const latency = `${latencyMs.min}/${latencyMs.avg.toFixed(4)}/${latencyMs.max}`
  return [
    `Latency min/avg/max: ${latency}`,
    `Received: ${status.received}`,
    `Sent: ${status.sent}`,
    `Connections: ${status.connections}`,
    `Outstanding: ${status.outstanding}`,
    `Zxid: ${status.zxid}`,
    `Mode: ${status.role}`,
    `Node count: ${status.nodes}`,
    '',
  ].join('\n')
}

const clientLine = ({ address, queued, received, sent }: ClientLine): string =>
  ` /${address}[1](queued=${queued},recved=${received},sent=${sent})\n`

function monitorLines(status: MemberStatus): string {
  const { latencyMs } = status
  const lines: [string, string | number][] = [
    ['version', version],
    ['server_state', status.role],
    ['peer_state', status.role === 'leader' ? 'leading - broadcast' : 'following - broadcast'],
    ['avg_latency', latencyMs.avg.toFixed(4)],
    ['max_latency', latencyMs.max],
    ['min_latency', latencyMs.min],
    ['packets_received', status.received],
    ['packets_sent', status.sent],
    ['num_alive_connections', status.connections],
    ['outstanding_requests', status.outstanding],
    ['znode_count', status.nodes],
    ['watch_count', status.watches],
    ['ephemerals_count', status.ephemerals],
    ['approximate_data_size', status.dataBytes],
    ['global_sessions', status.sessions],
    ['local_sessions', status.localSessions],
    ['connection_rejected', status.rejectedConnections],
    ['digest_mismatches_count', status.digestMismatches],
    ['znode_cache_bytes', status.cachedBytes],
    ['uptime', Date.now() - status.startedMs],
  ]
  return lines.map(([key, value]) => `zk_${key}\t${value}\n`).join('')
}
