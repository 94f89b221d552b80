/** A real Apache ZooKeeper, alone, on a free port, with its files in a directory that goes away with it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where Debian's package `zookeeper` keeps the server. */
const jar = '/usr/share/java/zookeeper.jar'

export const apacheIsInstalled = existsSync(jar)

export interface ApacheZooKeeper {
  readonly port: number
  stop(): Promise<void>
}

/** Sessions may be as short as 2 × tickTimeMs. */
export async function startApacheZooKeeper(tickTimeMs = 500): Promise<ApacheZooKeeper> {
  const port = await freePort()
  const home = mkdtempSync(join(tmpdir(), 'apache-zookeeper-'))
  const settings = {
    tickTime: tickTimeMs,
    dataDir: join(home, 'data'),
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    maxClientCnxns: 0,
    'admin.enableServer': false,
    '4lw.commands.whitelist': '*',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(home, 'zoo.cfg'), lines.join(''))
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  const server = spawn('java', ['-Xmx256m', '-cp', jar, main, join(home, 'zoo.cfg')], {
    stdio: 'ignore',
  })
  await untilServing(server, port)
  return {
    port,
    async stop() {
      const gone = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGKILL')
      await gone
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function untilServing(server: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (server.exitCode !== null) throw new Error(`ZooKeeper ended with ${server.exitCode}`)
    if ((await fourLetterWord(port, 'srvr')).includes('Mode:')) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('ZooKeeper does not serve')
}

/** The answer to a four-letter word; empty when nobody answers. */
export function fourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(word))
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => (answer += text))
    socket.on('error', () => resolve(''))
    socket.on('close', () => resolve(answer))
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
