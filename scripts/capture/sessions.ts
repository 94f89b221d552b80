/** The sessions that are recorded: which client, and what it is made to do. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { nodeZookeeperClient } from './node-zookeeper-client.ts'

export interface Proxy {
  readonly port: number
  cut(): void
}

interface Recorded {
  readonly about: string
  run(proxy: Proxy): Promise<void>
}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

export const sessions: Record<string, Recorded> = {
  java: {
    about: 'Java client of Apache ZooKeeper 3.8.0, server 3.8.0',
    run: (proxy) =>
      program(proxy, 'java', [
        '-cp',
        '/usr/share/java/zookeeper.jar',
        here('JavaClient.java'),
        `127.0.0.1:${proxy.port}`,
      ]),
  },
  kazoo: {
    about: 'kazoo 2.8.0, server Apache ZooKeeper 3.8.0',
    run: (proxy) =>
      program(proxy, '/usr/bin/python3', [here('kazoo_client.py'), `127.0.0.1:${proxy.port}`]),
  },
  'node-zookeeper-client': {
    about: 'node-zookeeper-client 1.1.3, server Apache ZooKeeper 3.8.0',
    run: nodeZookeeperClient,
  },
  cli_mt: {
    about: 'cli_mt 3.8.0 (the C client), server Apache ZooKeeper 3.8.0',
    run: (proxy) =>
      program(proxy, '/usr/lib/zookeeper/bin/cli_mt', [`127.0.0.1:${proxy.port}`], cliMt),
  },
  zkcli: {
    about: 'zkCli.sh of Apache ZooKeeper 3.8.0, server 3.8.0',
    run: (proxy) =>
      program(
        proxy,
        '/usr/share/zookeeper/bin/zkCli.sh',
        ['-server', `127.0.0.1:${proxy.port}`],
        zkCli,
      ),
  },
}

const cliMt = [
  'create /c',
  'create2 +e+s /c/es-',
  'set /c hello',
  'get /c',
  'wexists /c/later',
  'create /c/later',
  'ls /c',
  'ls2 /c',
  'sync /c',
  'get /no',
  'delete /c',
  'CUT',
  'exists /c',
  'delete /c/later',
  'quit',
]

const zkCli = [
  'create /z one',
  'create -e /z/e two',
  'create -s /z/s- three',
  'create -e -s /z/es-',
  'get -s -w /z',
  'set -s /z four',
  'set -v 7 /z five',
  'stat -w /z',
  'ls -s -w /z',
  'delete /z/e',
  'getAcl -s /z',
  'setAcl -s /z world:anyone:cdrwa',
  'sync /z',
  'delete /z',
  'deleteall /z',
  'quit',
]

/** Runs a program to its end. A line `CUT`, from it or to it, cuts every link. */
async function program(
  proxy: Proxy,
  command: string,
  args: readonly string[],
  input: readonly string[] = [],
): Promise<void> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  createInterface(child.stdout).on('line', (line) => {
    if (line === 'CUT') proxy.cut()
  })
  if (input.length > 0) await pause(3000)
  for (const line of input) {
    if (line === 'CUT') proxy.cut()
    else child.stdin.write(`${line}\n`)
    await pause(line === 'CUT' ? 3000 : 300)
  }
  child.stdin.end()
  const code = await ended
  if (code !== 0) console.warn(`${command} ended with ${code}`)
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
