/** A real Apache ZooKeeper, one server or three, from Debian’s package: the oracle our tests are checked against. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './ports.ts'
import { zooKeeperJar } from './programs.ts'
import { until } from './until.ts'

export interface ZooKeeper {
  readonly zkPorts: readonly number[]
  /** `127.0.0.1:2181,…`, as ZooKeeper's clients want it. */
  readonly hosts: string
  /** Each server's data. */
  readonly folders: readonly string[]
  /** Of its servers. */
  readonly pids: readonly number[]
  /** Kills one server, the first being 0. */
  kill(index: number): Promise<void>
  /** Starts a killed one again, on what it had on disk. */
  start(index: number): void
  stop(): Promise<void>
}

export interface ZooKeeperOptions {
  readonly members?: number
  readonly tickTimeMs?: number
  /** Java’s system properties, such as `zookeeper.extendedTypesEnabled`. */
  readonly properties?: Readonly<Record<string, string>>
  /** More lines of zoo.cfg. */
  readonly config?: readonly string[]
  readonly heapMb?: number
}

export async function startZooKeeper({
  members = 1,
  tickTimeMs = 500,
  properties = {},
  config = [],
  heapMb = 256,
}: ZooKeeperOptions = {}): Promise<ZooKeeper> {
  const home = mkdtempSync(join(tmpdir(), 'zookeeper-'))
  const zkPorts = await freePorts(members)
  const peerPorts = members === 1 ? [] : await freePorts(2 * members)
  const folderOf = (index: number): string => join(home, String(index + 1))
  const servers = zkPorts.map((port, index) => {
    const folder = folderOf(index)
    mkdirSync(folder)
    writeFileSync(join(folder, 'myid'), String(index + 1))
    writeFileSync(join(folder, 'zoo.cfg'), configOf(folder, port, peerPorts, tickTimeMs, config))
    return startServer(folder, heapMb, properties)
  })

  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(killed))
    rmSync(home, { recursive: true, force: true })
  }
  try {
    await Promise.all(zkPorts.map((port) => until('ZooKeeper to serve', () => isServing(port))))
  } catch (error) {
    const logs = zkPorts.map((_, index) =>
      readFileSync(join(home, String(index + 1), 'log'), 'utf8'),
    )
    await stop()
    throw new Error(`no ZooKeeper:\n${logs.join('\n')}`, { cause: error })
  }
  const hosts = zkPorts.map((port) => `127.0.0.1:${port}`).join(',')
  return {
    zkPorts,
    hosts,
    folders: zkPorts.map((_, index) => folderOf(index)),
    get pids() {
      return servers.map(({ pid }) => pid ?? 0)
    },
    kill: (index) => killed(servers[index] as ChildProcess),
    start(index) {
      servers[index] = startServer(folderOf(index), heapMb, properties)
    },
    stop,
  }
}

function configOf(
  folder: string,
  port: number,
  peerPorts: readonly number[],
  tickTimeMs: number,
  more: readonly string[],
): string {
  const lines = [
    `dataDir=${folder}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    `tickTime=${tickTimeMs}`,
    'initLimit=20',
    'syncLimit=10',
    'maxClientCnxns=0',
    'admin.enableServer=false',
    '4lw.commands.whitelist=*',
    ...more,
  ]
  for (let index = 0; index < peerPorts.length; index += 2) {
    const ports = peerPorts.slice(index, index + 2).join(':')
    lines.push(`server.${index / 2 + 1}=127.0.0.1:${ports}`)
  }
  return `${lines.join('\n')}\n`
}

function startServer(
  folder: string,
  heapMb: number,
  properties: Readonly<Record<string, string>>,
): ChildProcess {
  const defined = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`)
  const log = openSync(join(folder, 'log'), 'a')
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  return spawn(
    'java',
    [`-Xmx${heapMb}m`, ...defined, '-cp', zooKeeperJar, main, join(folder, 'zoo.cfg')],
    {
      cwd: folder,
      stdio: ['ignore', log, log],
    },
  )
}

async function killed(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const gone = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGKILL')
  await gone
}

const isServing = async (port: number): Promise<boolean> =>
  (await fourLetterWord(port, 'srvr')).includes('Mode: ')

/** The whole answer; empty when nobody answers. */
export const fourLetterWord = (port: number, word: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(word))
    socket.setEncoding('utf8')
    // A server that is starting may take the word and say nothing.
    socket.setTimeout(2000, () => socket.destroy())
    socket.on('data', (text: string) => (answer += text))
    socket.on('error', () => resolve(answer))
    socket.on('close', () => resolve(answer))
  })
