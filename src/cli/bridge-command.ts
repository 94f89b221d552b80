/** `durable-keeper bridge`: reads what it is told, says everything that is wrong with it, and runs the bridge. */
import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { Bridge, type ClientTls } from '../bridge/bridge.ts'
import { reasonOf } from '../bridge/bridged-client.ts'
import { FarSide } from '../bridge/far-side.ts'
import { Journal } from '../bridge/journal.ts'
import {
  type ListenAddress,
  readListenAddress,
  showListenAddress,
} from '../bridge/listen-address.ts'

interface Options {
  readonly to: URL
  readonly listen?: readonly ListenAddress[]
  readonly secretFile?: string
  readonly ca?: string
  readonly insecureSkipVerify?: boolean
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsClientCa?: string
  readonly verbose?: boolean
}

export function bridgeCommand(): Command {
  return new Command('bridge')
    .description('Lets stock TCP ZooKeeper clients reach a deployed Worker: one WebSocket each.')
    .requiredOption('--to <url>', 'the Worker: wss://host[/session]', readTarget)
    .addOption(
      new Option(
        '--listen <[host:]port[=member]>',
        'where clients connect; may be repeated. With =member, they are served by that member (default: 127.0.0.1:2181)',
      ).argParser(readListen),
    )
    .option('--secret-file <file>', 'holds the Worker’s BRIDGE_SECRET; the environment may, too')
    .option('--ca <file>', 'PEM: the authority of the Worker’s certificate, if not a public one')
    .option('--insecure-skip-verify', 'take whoever answers for the Worker: for tests only')
    .option('--tls-cert <file>', 'PEM: clients connect by TLS, and this is our certificate')
    .option('--tls-key <file>', 'PEM: its key')
    .option('--tls-client-ca <file>', 'PEM: only clients with a certificate of this authority')
    .option('--verbose', 'a line for every client that comes and goes')
    .action(async (options: Options, command: Command) => {
      try {
        await run(options)
      } catch (fault) {
        if (!(fault instanceof Unusable)) throw fault
        command.error(`error: ${fault.message}`)
      }
    })
}

/** What we were told cannot be done. */
class Unusable extends Error {}

async function run(options: Options): Promise<void> {
  const { to, listen = [readListenAddress('127.0.0.1:2181')] } = options
  const journal = new Journal(options.verbose === true)
  const secret = secretOf(options)
  const tls = clientTlsOf(options)
  if (to.protocol === 'ws:' && (options.ca !== undefined || options.insecureSkipVerify)) {
    throw new Unusable('--ca and --insecure-skip-verify are for wss://')
  }
  const ca = options.ca === undefined ? undefined : fileOf('--ca', options.ca)
  const farSide = new FarSide({ to, secret, ca, skipsVerify: options.insecureSkipVerify })
  const bridge = new Bridge(farSide, journal, tls)
  for (const address of listen) {
    try {
      await bridge.listen(address)
    } catch (fault) {
      throw new Unusable(`cannot listen on ${showListenAddress(address)}: ${reasonOf(fault)}`)
    }
  }
  drainWhenTold(bridge, journal)
}

function drainWhenTold(bridge: Bridge, journal: Journal): void {
  let isTold = false
  const drain = async (): Promise<void> => {
    // Told twice, we do not wait for anybody.
    if (isTold) process.exit()
    isTold = true
    journal.note(`ending; ${bridge.clientCount} clients are let go`)
    await bridge.drain()
    process.exit()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void drain())
  if (process.env['npm_lifecycle_event'] !== undefined) whenOrphaned(() => void drain())
}

/** npx that is told to end takes nobody with it: we notice that our parent is another one now. */
function whenOrphaned(end: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    end()
  }, 1000)
}

function readTarget(text: string): URL {
  if (!URL.canParse(text)) throw new InvalidArgumentError('It is not a URL.')
  const url = new URL(text)
  if (url.protocol !== 'wss:' && url.protocol !== 'ws:') {
    throw new InvalidArgumentError('It must begin with wss:// (or ws://, without encryption).')
  }
  if (url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('It ends with its path: members are named by --listen.')
  }
  if (url.pathname === '/') url.pathname = '/session'
  return url
}

function readListen(
  text: string,
  earlier: readonly ListenAddress[] | undefined,
): readonly ListenAddress[] {
  try {
    return [...(earlier ?? []), readListenAddress(text)]
  } catch (fault) {
    throw new InvalidArgumentError(`${reasonOf(fault)}.`)
  }
}

/** Not an option: whoever lists processes would read it. */
function secretOf({ secretFile }: Options): string | undefined {
  if (secretFile === undefined) return process.env['BRIDGE_SECRET'] || undefined
  const secret = fileOf('--secret-file', secretFile).trim()
  if (secret === '') throw new Unusable(`--secret-file: ${secretFile} is empty`)
  return secret
}

function clientTlsOf({ tlsCert, tlsKey, tlsClientCa }: Options): ClientTls | undefined {
  if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new Unusable('TLS towards clients needs --tls-cert and --tls-key')
  }
  return {
    cert: fileOf('--tls-cert', tlsCert),
    key: fileOf('--tls-key', tlsKey),
    clientCa: tlsClientCa === undefined ? undefined : fileOf('--tls-client-ca', tlsClientCa),
  }
}

function fileOf(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (fault) {
    throw new Unusable(`${option}: ${reasonOf(fault)}`)
  }
}
