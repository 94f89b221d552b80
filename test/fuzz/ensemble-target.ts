/**
 * Clients of a whole ensemble: three connections whose frames are damaged, a session actor that babbles, time, and
 * restarts. An input is a byte for its kind, one for the connection, then the bytes.
 *
 * What must hold: nobody but the sender of bad bytes is hurt, replies come in the order of requests and can be read, and
 * the tree keeps its laws.
 */
import { type Codec, MalformedFrame, Reader, Writer } from '../../src/core/jute/codec.ts'
import { writeUp } from '../../src/core/session/edge-messages.ts'
import { upRecords } from '../../src/core/session/edge-messages.ts'
import type { Random } from '../../src/core/shared/random.ts'
import { wholeFrames } from '../../src/core/wire/deframer.ts'
import { readMultiResponse } from '../../src/core/wire/multi.ts'
import { opcodes, operationOf, xids } from '../../src/core/wire/opcodes.ts'
import { readReply } from '../../src/core/wire/packets.ts'
import { joined, mutate } from './mutation.ts'
import { headOf, hello, someRequest } from './requests.ts'
import { sampleOf } from './sampler.ts'
import type { Life, Target } from './target.ts'
import { TinyEnsemble } from './tiny-ensemble.ts'

const kinds = ['frames', 'stranger', 'edge', 'reconnect', 'pass', 'restart', 'check'] as const
type Kind = (typeof kinds)[number]
const connectionCount = 3
/** Of a session actor beside the one our clients have. */
const babblersEdge = 99

export const ensembleTarget: Target = {
  name: 'ensemble',
  inputsPerLife: 2000,
  share: 40,
  draw,
  begin: () => new EnsembleLife(),
  kindOf: (input) => kindOf(input),
}

const kindOf = (input: Uint8Array): Kind => kinds[(input[0] ?? 0) % kinds.length] as Kind

function draw(random: Random): Uint8Array {
  const chance = random.next() % 1000
  const kind: Kind =
    chance < 880
      ? 'frames'
      : chance < 900
        ? 'stranger'
        : chance < 960
          ? 'edge'
          : chance < 980
            ? 'pass'
            : chance < 995
              ? 'reconnect'
              : chance < 999
                ? 'check'
                : 'restart'
  const head = Uint8Array.of(kinds.indexOf(kind), random.next() % connectionCount)
  return joined(head, bytesFor(kind, random))
}

function bytesFor(kind: Kind, random: Random): Uint8Array {
  switch (kind) {
    case 'frames':
      return someFrames(random)
    case 'stranger':
      return framed(mutate(hello(), someRequest(1, random), random))
    case 'edge':
      return mutate(upMessage(random), upMessage(random), random)
    case 'reconnect':
    case 'pass':
    case 'restart':
    case 'check':
      return Uint8Array.of(random.next())
  }
}

/** One message of a client: mostly one frame, mostly damaged inside; sometimes its length is too. */
function someFrames(random: Random): Uint8Array {
  const chance = random.next() % 100
  const xid = 1 + (random.next() % 0xffff)
  const request = someRequest(xid, random)
  if (chance < 35) return framed(request)
  if (chance < 90) return framed(mutate(request, someRequest(xid, random), random))
  const two = joined(framed(request), framed(someRequest(xid + 1, random)))
  return chance < 95 ? two : mutate(two, framed(request), random)
}

function upMessage(random: Random): Uint8Array {
  const writer = new Writer()
  for (let count = 1 + (random.next() % 3); count > 0; count--) {
    const types = Object.keys(upRecords) as (keyof typeof upRecords)[]
    const type = types[random.next() % types.length] as keyof typeof upRecords
    const codec = upRecords[type] as Codec<object>
    const message = codec.read(new Reader(sampleOf(codec, random)))
    const frame = type === 'request' ? { frame: someRequest(1, random) } : {}
    writeUp(writer, { ...message, ...frame, type } as never)
  }
  return writer.take()
}

function framed(frame: Uint8Array): Uint8Array {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setInt32(0, frame.length)
  return joined(head, frame)
}

/** Undefined where the connection would be closed. */
function framesOf(message: Uint8Array): Uint8Array[] | undefined {
  try {
    return wholeFrames(message, 1_048_575)
  } catch (fault) {
    if (!(fault instanceof MalformedFrame)) throw fault
    return undefined
  }
}

/** A client: what it asked and was not answered. */
interface Client {
  id: number
  session: bigint
  password: Uint8Array<ArrayBuffer>
  isGreeted: boolean
  asked: { readonly xid: number; readonly type: number }[]
  /** It asked under the xid of watch events: its replies cannot be told from them. */
  isAmbiguous: boolean
}

const noPassword = new Uint8Array(16)

class EnsembleLife implements Life {
  readonly #ensemble: TinyEnsemble
  readonly #clients: Client[] = []
  #lastId = 0

  constructor() {
    this.#ensemble = new TinyEnsemble({
      heard: (id, frames) => this.#heard(id, frames),
      hungUp: (id) => this.#hungUp(id),
    })
    for (let at = 0; at < connectionCount; at++) this.#connect(at, 0n, noPassword)
    if (!this.#clients.every(({ isGreeted }) => isGreeted)) throw new Error('no session was opened')
  }

  take(input: Uint8Array): void {
    const at = (input[1] ?? 0) % connectionCount
    const bytes = input.subarray(2)
    switch (kindOf(input)) {
      case 'frames':
        return this.#send(at, bytes)
      case 'stranger':
        return this.#visit(bytes)
      case 'edge':
        return this.#babble(bytes)
      case 'reconnect':
        return this.#reconnect(at, bytes)
      case 'pass':
        return this.#ensemble.pass((bytes[0] ?? 0) * 4)
      case 'restart':
        this.#ensemble.restart()
        return this.#ensemble.check()
      case 'check':
        return this.#ensemble.check()
    }
  }

  end(): void {
    this.#ensemble.pass(1)
    this.#ensemble.restart()
    this.#ensemble.check()
  }

  #send(at: number, message: Uint8Array): void {
    const client = this.#clients[at] as Client
    const frames = framesOf(message)
    if (frames === undefined) {
      this.#ensemble.host.disconnected(this.#ensemble.nowMs, client.id)
      return this.#connect(at, client.session, client.password)
    }
    for (const frame of frames) {
      const asked = headOf(frame)
      client.asked.push(asked)
      if (asked.xid === xids.watchEvent) client.isAmbiguous = true
    }
    this.#ensemble.receive(client.id, frames)
    if (client.id === 0) this.#connect(at, client.session, client.password)
  }

  /** Somebody whose first frame is damaged comes and goes. */
  #visit(message: Uint8Array): void {
    this.#lastId += 1
    const id = this.#lastId
    this.#ensemble.host.connected(this.#ensemble.nowMs, {
      id,
      pinned: undefined,
      survives: true,
      address: '',
      identities: [],
    })
    this.#ensemble.receive(id, framesOf(message) ?? [])
    this.#ensemble.host.disconnected(this.#ensemble.nowMs, id)
    this.#ensemble.settle()
  }

  #babble(message: Uint8Array): void {
    try {
      this.#ensemble.receiveEdge(babblersEdge, message)
      this.#ensemble.replica.desk.takeOutput(babblersEdge)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      this.#ensemble.replica.dropEdge(babblersEdge)
    }
  }

  #reconnect(at: number, bytes: Uint8Array): void {
    const client = this.#clients[at] as Client
    this.#ensemble.host.disconnected(this.#ensemble.nowMs, client.id)
    this.#ensemble.settle()
    const isNew = (bytes[0] ?? 0) % 4 === 0
    this.#connect(at, isNew ? 0n : client.session, client.password)
  }

  /** A session that is no more gets the client a new one. */
  #connect(at: number, session: bigint, password: Uint8Array<ArrayBuffer>): void {
    for (const id of session === 0n ? [0n] : [session, 0n]) {
      this.#lastId += 1
      const client: Client = {
        id: this.#lastId,
        session: id,
        password,
        isGreeted: false,
        asked: [],
        isAmbiguous: false,
      }
      this.#clients[at] = client
      this.#ensemble.host.connected(this.#ensemble.nowMs, {
        id: client.id,
        identities: [],
        pinned: undefined,
        survives: at > 0,
        address: `127.0.0.${at}:5000`,
      })
      this.#ensemble.receive(client.id, [hello(id, password)])
      if (client.isGreeted) return
    }
  }

  #heard(id: number, frames: Uint8Array): void {
    const client = this.#clients.find((one) => one.id === id)
    if (client === undefined) return
    for (const frame of wholeFrames(frames, 2 ** 30)) {
      if (client.isGreeted) this.#heardReply(client, frame)
      else this.#greeted(client, frame)
    }
  }

  #greeted(client: Client, frame: Uint8Array): void {
    const reader = new Reader(frame, 4)
    if (reader.int() === 0) return
    client.isGreeted = true
    client.session = reader.id()
    client.password = reader.buffer()?.slice() ?? client.password
  }

  #heardReply(client: Client, frame: Uint8Array): void {
    const { header, body } = readReply(frame)
    if (client.isAmbiguous || header.xid === xids.watchEvent) return
    const asked = client.asked.shift()
    const due = asked?.type === opcodes.ping.code ? xids.ping : asked?.xid
    if (asked === undefined || due !== header.xid) {
      throw new Error(`reply ${header.xid} where ${due ?? 'none'} was due`)
    }
    if (header.err !== 0) return
    const operation = operationOf(asked.type)
    if (operation === undefined) throw new Error(`granted: type ${asked.type}`)
    if (operation === 'multi' || operation === 'multiRead') readMultiResponse(body)
    else (opcodes[operation].reply as Codec<unknown>).read(body)
    if (body.left > 0) throw new Error(`${body.left} bytes behind the reply to ${operation}`)
  }

  #hungUp(id: number): void {
    const client = this.#clients.find((one) => one.id === id)
    if (client !== undefined) client.id = 0
  }
}
