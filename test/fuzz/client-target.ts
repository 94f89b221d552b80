/** A client whose server babbles: an input is what the server sends, cut anywhere. */
import { Chroot } from '../../src/client/chroot.ts'
import { Connection } from '../../src/client/connection.ts'
import { read, readEach } from '../../src/client/multi-read.ts'
import { readAnswers, step } from '../../src/client/multi.ts'
import { Request } from '../../src/client/request.ts'
import type { TransportEvents } from '../../src/client/transport.ts'
import { Watches } from '../../src/client/watch.ts'
import type { Codec, Reader } from '../../src/core/jute/codec.ts'
import type { Random } from '../../src/core/shared/random.ts'
import { asZxid } from '../../src/core/shared/units.ts'
import { writeMultiResponse } from '../../src/core/wire/multi.ts'
import { type Operation, opcodes } from '../../src/core/wire/opcodes.ts'
import {
  frameOf,
  writeConnectResponse,
  writeReplyHeader,
  writeWatchEvent,
} from '../../src/core/wire/packets.ts'
import { mutate } from './mutation.ts'
import { sampleOf } from './sampler.ts'
import type { Life, Target } from './target.ts'

const operations = Object.keys(opcodes) as Operation[]
const steps = [step.create('/a'), step.set('/a', 'x'), step.check('/a'), step.delete('/a')]
const reads = [read.get('/a'), read.getChildren('/a')]
const chroot = new Chroot('/a')
const stat = {
  czxid: 1,
  mzxid: 1,
  ctime: 1,
  mtime: 1,
  version: 1,
  cversion: 1,
  aversion: 1,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 1,
}
const results = [
  { operation: 'create', reply: { path: '/a' } },
  { operation: 'setData', reply: { stat } },
  { operation: 'check', reply: undefined },
  { operation: 'delete', reply: undefined },
] as const

const readResults = [
  { operation: 'getData', reply: { data: null, stat } },
  { operation: 'getChildren', reply: { children: ['b'] } },
] as const

export const clientTarget: Target = {
  name: 'client',
  inputsPerLife: 500,
  share: 10,
  draw(random) {
    const reply = someReply(random)
    const damaged = random.next() % 4 === 0 ? reply : mutate(reply, someReply(random), random)
    // Its length is right, more often than not: what is inside is the matter here.
    if (damaged.length > 4 && random.next() % 4 > 0) {
      new DataView(damaged.buffer).setInt32(0, damaged.length - 4)
    }
    return damaged
  },
  begin: () => new ClientLife(),
  kindOf: () => 'reply',
}

function someReply(random: Random): Uint8Array {
  const chance = random.next() % 10
  const xid = random.next() % 4
  if (chance === 0) return writeWatchEvent(5, 3, '/a')
  if (chance === 1) return writeReplyHeader(xid, asZxid(5), -101)
  const operation = operations[random.next() % operations.length] as Operation
  return frameOf((into) => {
    into.int(xid)
    into.long(5)
    into.int(0)
    if (operation === 'multi') writeMultiResponse(into, results)
    else if (operation === 'multiRead') writeMultiResponse(into, readResults)
    else into.raw(sampleOf(opcodes[operation].reply as Codec<unknown>, random))
  })
}

const hello = {
  protocolVersion: 0,
  lastZxidSeen: 0,
  timeOut: 5000,
  sessionId: 0n,
  passwd: new Uint8Array(16),
  readOnly: false,
}
const welcome = writeConnectResponse(hello)

function grantOf(operation: Operation, body: Reader): unknown {
  if (operation === 'multi') return readAnswers(steps, body, (path) => chroot.inward(path) ?? path)
  if (operation === 'multiRead') return readEach(reads, body)
  return (opcodes[operation].reply as Codec<unknown>).read(body)
}

class ClientLife implements Life {
  readonly #watches = new Watches()
  #connection: Connection
  #events: TransportEvents | undefined
  #isOver = false
  #asked = 0

  constructor() {
    this.#connection = this.#connect()
  }

  take(input: Uint8Array): void {
    if (this.#isOver) this.#connection = this.#connect()
    // What is under way is asked under few xids, so that many replies are due.
    const operation = operations[this.#asked % operations.length] as Operation
    this.#ask(operation, this.#asked % 4)
    this.#watches.arm('data', '/a', () => undefined)
    const cut = input.length >> 1
    this.#events?.receive(input.subarray(0, cut))
    this.#events?.receive(input.subarray(cut))
  }

  #connect(): Connection {
    this.#isOver = false
    const connection = new Connection(
      (_, events) => {
        this.#events = events
        return { send: () => undefined, ping: () => true, abort: () => undefined }
      },
      '',
      hello,
      {
        established: () => undefined,
        heard: () => undefined,
        refused: () => undefined,
        seen: () => undefined,
        watchEvent: (type, path) => this.#watches.receive(type, path),
        ended: () => (this.#isOver = true),
      },
    )
    this.#events?.opened()
    this.#events?.receive(welcome)
    return connection
  }

  #ask(operation: Operation, xid: number): void {
    this.#asked += 1
    const request = new Request<unknown>(xid, {
      operation,
      write: () => undefined,
      grant: (body) => grantOf(operation, body),
    })
    request.promise.catch(() => undefined)
    this.#connection.send(request)
  }
}
