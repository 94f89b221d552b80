/** A bridge before a running ensemble: what its clients notice of it, which should be nothing. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect as dialPlain, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  connect as dialSecure,
  createServer as createSecureServer,
  type ConnectionOptions,
} from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, type ClientOptions, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { encode, Reader } from '../../src/core/jute/codec.ts'
import { ConnectResponse, WatchedPathRequest } from '../../src/core/jute/records.ts'
import { Random } from '../../src/core/shared/random.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import { opcodes } from '../../src/core/wire/opcodes.ts'
import { writeConnectRequest, writeRequest } from '../../src/core/wire/packets.ts'
import { clientSuite } from '../client/suite.ts'
import { BridgeProcess, bridgeCommand } from '../support/bridge.ts'
import { Conversation } from '../support/conversation.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { freePorts, isFree } from '../support/ports.ts'
import { isInstalled, zkCli } from '../support/programs.ts'
import { until } from '../support/until.ts'
import { fourLetterWord } from '../support/zookeeper.ts'
import { connectRequest, request } from './raw-client.ts'

const secret = 'the-secret-of-a-test'
let ensemble: Ensemble
let bridge: BridgeProcess
/** Of the bridge: whichever member is near, and members 1 to 3. */
let ports: readonly number[]

const startBridge = (): Promise<BridgeProcess> => {
  const listen = ports.flatMap((port, member) => [
    '--listen',
    member === 0 ? `${port}` : `127.0.0.1:${port}=${member}`,
  ])
  return BridgeProcess.start(['--to', ensemble.webSocketUrl, ...listen, '--verbose'], {
    BRIDGE_SECRET: secret,
  })
}

const open = (options: ClientOptions = {}, port = ports[0]): Client =>
  connect(`tcp://127.0.0.1:${port}`, { transport: tcp, timeoutMs: 10_000, ...options })

beforeAll(async () => {
  ensemble = await startEnsemble({
    mode: 'serve',
    env: {
      TICK_TIME: '1000',
      CONTAINER_CHECK_INTERVAL_MS: '500',
      FOUR_LETTER_WORDS: 'ruok,srvr,stat,isro',
      BRIDGE_SECRET: secret,
    },
  })
  ports = await freePorts(4)
  bridge = await startBridge()
})
afterAll(async () => {
  await bridge?.end()
  await ensemble?.stop()
})

clientSuite({
  name: 'our ensemble over a bridge',
  url: () => `tcp://127.0.0.1:${ports[0]}`,
  transport: tcp,
  minTimeoutMs: 2000,
  reaperMs: 500,
  release: '3.9',
})

describe('through a bridge', () => {
  it('a session’s bytes are those of the member’s own port, however they are cut', async () => {
    const owner = open()
    await owner.create('/cut', { data: 'some bytes' })
    await owner.close()
    const [direct = 0] = ensemble.zkPorts
    const first = await conversation(direct, [connectRequest(20_000)], 1)
    const { sessionId, passwd } = ConnectResponse.read(new Reader(first.subarray(4)))
    const resume = writeConnectRequest({
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeOut: 20_000,
      sessionId,
      passwd,
      readOnly: false,
    })
    const watched = (path: string, watch: boolean) => encode(WatchedPathRequest, { path, watch })
    const requests = Array.from({ length: 60 }, (_, at) => [
      request(3 * at + 1, opcodes.getData.code, watched('/cut', at % 2 === 0)),
      request(3 * at + 2, opcodes.exists.code, watched(`/none-${at}`, true)),
      writeRequest(-2, 'ping', undefined),
      request(3 * at + 3, opcodes.getChildren2.code, watched('/', false)),
    ]).flat()
    const all = Buffer.concat([resume, ...requests])
    // Replies tell the zxid that their member has applied: nobody writes here, and all have applied everything.
    await until('equal zxids', async () => {
      const zxids = (await ensemble.members()).map(({ zxid }) => zxid)
      return new Set(zxids).size === 1
    })
    const wanted = await conversation(direct, [all], 1 + requests.length)
    expect(wanted.length).toBeGreaterThan(60 * 100)
    for (let round = 0; round < 8; round++) {
      const answer = await conversation(ports[1] ?? 0, cut(all, round), 1 + requests.length)
      expect(answer.equals(wanted)).toBe(true)
    }
  })

  it('the words are those of the member’s own port, and stat shows who is there', async () => {
    const client = open({}, ports[2])
    await client.ready()
    for (const word of ['ruok', 'isro', 'conf', 'stmk']) {
      expect(await fourLetterWord(ports[2] ?? 0, word)).toBe(
        await fourLetterWord(ensemble.zkPorts[1] ?? 0, word),
      )
    }
    expect(await fourLetterWord(ports[2] ?? 0, 'ruok')).toBe('imok')
    expect(await fourLetterWord(ports[0] ?? 0, 'srvr')).toMatch(/\nMode: /)
    const address = bridge.printed.match(/^(\S+): carried\n(?![^]*: carried)/m)?.[1]
    for (const port of [ports[2] ?? 0, ensemble.zkPorts[1] ?? 0]) {
      expect(await fourLetterWord(port, 'stat')).toContain(`\n /${address}[1](`)
    }
    await client.close()
  })

  it('two hundred clients are served at once', async () => {
    const clients = Array.from({ length: 200 }, (_, at) => open({}, ports[at % 4]))
    const [janitor] = clients as [Client]
    await janitor.create('/crowd')
    const started = performance.now()
    await Promise.all(
      clients.map(async (client, at) => {
        await client.create(`/crowd/${at}`, { mode: 'ephemeral' })
        await Promise.all(
          Array.from({ length: 10 }, () => client.set(`/crowd/${at}`, `from ${at}`)),
        )
      }),
    )
    const took = performance.now() - started
    console.warn(`200 bridged clients: sessions and 2,200 writes in ${Math.round(took)} ms`)
    let told = 0
    await Promise.all(
      clients.map(async (client) => {
        await client.sync('/crowd')
        await client.get('/crowd', { watch: () => (told += 1) })
      }),
    )
    await janitor.set('/crowd', 'news')
    await until('everybody to hear of it', () => told === clients.length)
    await Promise.all(clients.slice(1).map((client) => client.close()))
    await janitor.sync('/crowd')
    expect(await janitor.getChildren('/crowd')).toEqual(['0'])
    await janitor.delete('/crowd/0')
    await janitor.delete('/crowd')
    await janitor.close()
  })

  it('sessions, ephemerals and watches outlive a bridge that is killed', async () => {
    const clients = Array.from({ length: 10 }, (_, at) => open({}, ports[at % 4]))
    const observer = open({}, ensemble.zkPorts[0])
    await observer.create('/crash')
    const heard: string[] = []
    for (const [at, client] of clients.entries()) {
      await client.create(`/crash/${at}`, { mode: 'ephemeral' })
      await client.sync('/crash')
      await client.get('/crash', { watch: ({ type }) => heard.push(`${at} ${type}`) })
    }
    const ids = clients.map(({ session }) => session?.id)
    await bridge.end('SIGKILL')
    await observer.set('/crash', 'while nobody was there')
    bridge = await startBridge()
    await until('everybody to hear of it', () => heard.length === clients.length)
    expect(clients.map(({ session }) => session?.id)).toEqual(ids)
    expect(await observer.getChildren('/crash')).toHaveLength(clients.length)
    await Promise.all(clients.map((client) => client.close()))
    await observer.delete('/crash')
    await observer.close()
  })

  it.skipIf(!isInstalled.zkCli())('zkCli’s watch outlives a bridge that is killed', async () => {
    const talk = new Conversation(zkCli, ['-server', `127.0.0.1:${ports[0]}`])
    const writer = open({}, ensemble.zkPorts[0])
    try {
      await writer.create('/cli', { data: 'before' })
      await talk.hear(/state:SyncConnected type:None path:null/)
      await talk.ask('sync /cli', /Sync is OK/)
      await talk.ask('get -w /cli', /\nbefore\n/)
      await bridge.end('SIGKILL')
      await talk.hear(/state:Disconnected type:None path:null/)
      bridge = await startBridge()
      await talk.hear(/state:SyncConnected type:None path:null/)
      await writer.set('/cli', 'after')
      await talk.hear(/state:SyncConnected type:NodeDataChanged path:\/cli/)
      talk.say('quit')
      expect(await talk.ended()).toBe(0)
    } finally {
      talk.kill()
      await writer.delete('/cli')
      await writer.close()
    }
  })

  it('clients come back when the far side was away', async () => {
    const client = open({ timeoutMs: 20_000 })
    await client.create('/away', { mode: 'ephemeral' })
    const { id } = client.session ?? {}
    await ensemble.kill9()
    await until('the bridge to say so', () => bridge.printed.includes('cannot reach ws://'))
    await ensemble.restart()
    await until('an answer', () => client.exists('/away').catch(() => undefined))
    expect(client.session?.id).toBe(id)
    await client.close()
  })
})

describe('the command', () => {
  it('answers what is under way and ends with 0 when told to', async () => {
    const [port = 0] = await freePorts(1)
    const one = await BridgeProcess.start(['--to', ensemble.webSocketUrl, '--listen', `${port}`])
    const client = open({}, port)
    await client.create('/drain')
    const written = Promise.all(Array.from({ length: 100 }, () => client.set('/drain', 'x')))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await one.end('SIGTERM')).toBe(0)
    expect(one.printed).toMatch('ending; 1 clients are let go')
    await written.catch(() => undefined) // what had not been read is lost to the client, as ever
    const janitor = open()
    await janitor.delete('/drain')
    await janitor.close()
    void client.close()
  })

  it('ends with the npx that runs it', async () => {
    const [port = 0] = await freePorts(1)
    // As npx does: a shell between, which takes nobody with it.
    const args = `bridge --to ${ensemble.webSocketUrl} --listen ${port}`
    const shell = spawn('sh', ['-c', `"${process.execPath}" "${bridgeCommand}" ${args}; true`], {
      env: { ...process.env, npm_lifecycle_event: 'npx' },
      stdio: 'ignore',
    })
    await until('the bridge', async () => (await fourLetterWord(port, 'srvr')) !== '')
    expect(await isFree(port)).toBe(false)
    shell.kill('SIGKILL')
    await until('its end', () => isFree(port))
  })

  it('tells that its secret is not the Worker’s', async () => {
    const [port = 0] = await freePorts(1)
    const one = await BridgeProcess.start(['--to', ensemble.webSocketUrl, '--listen', `${port}`], {
      BRIDGE_SECRET: 'another',
    })
    await expect(conversation(port, [connectRequest(5000)], 1)).rejects.toThrow('0 of 1')
    expect(one.printed).toMatch(/it answers 403: the client is vouched for with another/)
    await one.end()
  })

  it.each([
    [[], '--to'],
    [['--to', 'http://host'], 'must begin with wss://'],
    [['--to', 'wss://host', '--listen', 'port'], 'is not [host:]port[=member]'],
    [['--to', 'wss://host', '--ca', '/nowhere.pem'], '--ca: ENOENT'],
    [['--to', 'ws://host', '--insecure-skip-verify'], 'are for wss://'],
    [['--to', 'wss://host', '--tls-key', '/nowhere.pem'], 'needs --tls-cert and --tls-key'],
    [['--to', 'wss://host', '--secret-file', '/dev/null'], 'is empty'],
    [['--to', 'wss://host', '--frob'], "unknown option '--frob'"],
  ])('refuses %j', (args, why) => {
    const { status, stderr, stdout } = run(args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(why)
    expect(stderr).not.toMatch(/^ {4}at /m)
  })

  it('names the address that is taken', async () => {
    const { status, stderr } = run(['--to', ensemble.webSocketUrl, '--listen', `${ports[0]}`])
    expect(status).toBe(1)
    expect(stderr).toMatch(`cannot listen on 127.0.0.1:${ports[0]}: listen EADDRINUSE`)
  })
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
if (!hasOpenssl) console.warn('left out: TLS, because openssl is not here')

describe.skipIf(!hasOpenssl)('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'durable-keeper-tls-'))
  const file = (name: string): string => join(folder, name)
  const pem = (name: string): string => readFileSync(file(name), 'utf8')
  let proxy: Server
  let to = ''
  let port = 0

  beforeAll(async () => {
    const subject = ['-nodes', '-days', '2', '-subj', '/O=Some, Org/CN=localhost']
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    for (const name of ['worker', 'bridge', 'client', 'stranger']) {
      const args = ['req', '-x509', ...key, ...subject, '-addext', 'subjectAltName=DNS:localhost']
      const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
      expect(spawnSync('openssl', [...args, ...out]).status).toBe(0)
    }
    const [proxyPort = 0, bridgePort = 0] = await freePorts(2)
    port = bridgePort
    to = `wss://localhost:${proxyPort}/session`
    // What Cloudflare does before a Worker: it takes TLS off.
    const inner = createSecureServer(
      { cert: pem('worker.pem'), key: pem('worker.key') },
      (socket) => {
        const far = dialPlain(ensemble.httpPort, '127.0.0.1')
        socket.pipe(far).pipe(socket)
        socket.on('error', () => far.destroy())
        far.on('error', () => socket.destroy())
      },
    )
    proxy = inner
    await new Promise<void>((resolve) => inner.listen(proxyPort, 'localhost', resolve))
  })
  afterAll(() => {
    proxy?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const secured = [
    ['--tls-cert', () => file('bridge.pem')],
    ['--tls-key', () => file('bridge.key')],
    ['--tls-client-ca', () => file('client.pem')],
  ] as const
  const start = (...args: readonly string[]) =>
    BridgeProcess.start(['--to', to, '--listen', `${port}`, ...args], { BRIDGE_SECRET: secret })
  const tls = (name: string): ConnectionOptions => ({
    ca: pem('bridge.pem'),
    servername: 'localhost',
    cert: pem(`${name}.pem`),
    key: pem(`${name}.key`),
  })

  it('goes on both sides, with certificates of both', async () => {
    const options = secured.flatMap(([option, path]) => [option, path()])
    const one = await start('--ca', file('worker.pem'), ...options)
    expect(one.printed).toMatch('(TLS)')
    const dial = (name: string) => () => dialSecure({ port, host: '127.0.0.1', ...tls(name) })
    const ping = writeRequest(-2, 'ping', undefined)
    const answer = await conversation(dial('client'), [connectRequest(5000), ping], 2)
    expect(answer.length).toBe(4 + 37 + 4 + 16)
    expect((await conversation(dial('client'), [Buffer.from('srvr')], 'end')).toString()).toMatch(
      /\nMode: /,
    )
    // The certificate's subject is who the client is, as ZooKeeper's x509 provider writes it.
    const who = writeRequest(1, 'whoAmI', undefined)
    const told = await conversation(dial('client'), [connectRequest(5000), who], 2)
    expect(told.toString()).toMatch('x509')
    expect(told.toString()).toMatch('CN=localhost,O=Some\\, Org')
    await expect(conversation(dial('stranger'), [connectRequest(5000)], 1)).rejects.toThrow()
    await expect(conversation(port, [connectRequest(5000)], 1)).rejects.toThrow()
    expect(await one.end()).toBe(0)
  })

  it('refuses a Worker whose certificate it cannot trust, unless told to', async () => {
    const careful = await start()
    await expect(conversation(port, [connectRequest(5000)], 1)).rejects.toThrow('0 of 1')
    expect(careful.printed).toMatch(/cannot reach wss:.*: self-signed certificate/)
    await careful.end()
    const careless = await start('--insecure-skip-verify')
    expect(await conversation(port, [connectRequest(5000)], 1)).toHaveLength(4 + 37)
    await careless.end()
  })
})

/** Sends parts, a moment apart, and returns the bytes of so many frames, or all until the end. */
function conversation(
  to: number | (() => Socket),
  parts: readonly Uint8Array[],
  wanted: number | 'end',
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = typeof to === 'number' ? dialPlain(to, '127.0.0.1') : to()
    const deframer = new Deframer(4_000_000)
    const chunks: Buffer[] = []
    let frames = 0
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (wanted === 'end') return
      frames += deframer.push(new Uint8Array(chunk)).length
      if (frames < wanted) return
      socket.destroy()
      resolve(Buffer.concat(chunks))
    })
    socket.on('error', reject)
    socket.on('close', () => {
      if (wanted === 'end') resolve(Buffer.concat(chunks))
      else reject(new Error(`${frames} of ${wanted} frames, then the end`))
    })
    void (async () => {
      for (const part of parts) {
        socket.write(part)
        await new Promise((later) => setImmediate(later))
      }
    })()
  })
}

/** The bytes in pieces: of one byte each in the first round, of lengths drawn from its number in the others. */
function cut(bytes: Uint8Array, round: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const random = new Random(round)
  for (let at = 0; at < bytes.length;) {
    const length = round === 0 ? 1 : random.between(1, 4 ** round)
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}

const run = (args: readonly string[]) =>
  spawnSync(process.execPath, [bridgeCommand, 'bridge', ...args], {
    encoding: 'utf8',
    timeout: 10_000,
  })
