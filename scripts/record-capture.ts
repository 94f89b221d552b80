/**
 * Records what real clients and a real Apache ZooKeeper say to each other into test/wire/capture/*.hex:
 *
 *     node scripts/record-capture.ts [name …]
 *
 * Needs Debian's packages zookeeper, zookeeper-bin and python3-kazoo, and npm's node-zookeeper-client. A client is let
 * through a proxy that keeps every frame and can cut every link; a client asks for that with a line `CUT`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Reader } from '../src/core/jute/codec.ts'
import { Deframer } from '../src/core/wire/deframer.ts'
import { operationOf } from '../src/core/wire/opcodes.ts'
import { refusalOf } from '../src/core/wire/refusals.ts'
import { freePorts } from '../test/support/ports.ts'
import { startZooKeeper } from '../test/support/zookeeper.ts'
import { sessions } from './capture/sessions.ts'

const folder = new URL('../test/wire/capture/', import.meta.url)

interface Link {
  readonly lines: string[]
  readonly sockets: readonly Socket[]
}

const wanted = process.argv.slice(2)
const server = await startZooKeeper({ tickTimeMs: 1000 })
mkdirSync(folder, { recursive: true })
try {
  for (const [name, session] of Object.entries(sessions)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const links: Link[] = []
    const proxy = recordTo(links, server.zkPorts[0] ?? 0)
    const port = await listening(proxy)
    await session.run({ port, cut: () => cutAll(links) })
    cutAll(links)
    proxy.close()
    writeFileSync(new URL(`${name}.hex`, folder), textOf(session.about, links))
    console.log(
      `${name}: ${links.length} links, ${links.flatMap(({ lines }) => lines).length / 2} frames`,
    )
  }
} finally {
  await server.stop()
}

function recordTo(links: Link[], port: number): Server {
  return createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    const lines: string[] = []
    const operations = new Map<number, string>()
    links.push({ lines, sockets: [client, upstream] })
    join(client, upstream, (frame, nth) => {
      lines.push(`# ${requestName(frame, nth, operations)}`, `> ${nth} ${hexOf(frame)}`)
    })
    join(upstream, client, (frame, nth) => {
      lines.push(`# ${replyName(frame, nth, operations)}`, `< ${nth} ${hexOf(frame)}`)
    })
  })
}

/** Passes bytes on from one socket to the other, and tells each whole frame. */
function join(from: Socket, to: Socket, tell: (frame: Uint8Array, nth: number) => void): void {
  const deframer = new Deframer(1 << 24)
  let frames = 0
  from.on('data', (chunk) => {
    for (const frame of deframer.push(new Uint8Array(chunk))) tell(frame, frames++)
    to.write(chunk)
  })
  from.on('error', () => {})
  from.on('close', () => to.destroy())
}

function requestName(frame: Uint8Array, nth: number, operations: Map<number, string>): string {
  if (nth === 0) return 'connect'
  const reader = new Reader(frame)
  const xid = reader.int()
  const name = operationOf(reader.int()) ?? 'unknown'
  operations.set(xid, name)
  return name
}

function replyName(frame: Uint8Array, nth: number, operations: Map<number, string>): string {
  if (nth === 0) return 'connected'
  const reader = new Reader(frame)
  const xid = reader.int()
  if (xid === -1) return 'watch event'
  reader.id()
  const err = reader.int()
  const name = operations.get(xid) ?? 'unknown'
  return err === 0 ? `${name} granted` : `${name} refused: ${refusalOf(err) ?? err}`
}

function hexOf(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex')
}

function textOf(about: string, links: readonly Link[]): string {
  const head = [
    `# ${about}`,
    '# > client, < server; number of the frame in its direction; the frame without its length.',
  ]
  const parts = links.map(({ lines }, nth) => [`link ${nth + 1}`, ...lines])
  return `${[...head, ...parts.flatMap((part) => ['', ...part])].join('\n')}\n`
}

function cutAll(links: readonly Link[]): void {
  for (const { sockets } of links) for (const socket of sockets) socket.destroy()
}

async function listening(proxy: Server): Promise<number> {
  const [port = 0] = await freePorts(1)
  await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve))
  return port
}
