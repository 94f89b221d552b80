/**
 * One TCP client and the WebSocket that carries it. The WebSocket is dialled when the client has said whose session it
 * wants, and what it sends meanwhile waits. Whichever side ends, ends the other: coming back is the client's business.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { WebSocket } from 'ws'
import { MalformedFrame } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'
import { settingRows } from '../core/shared/settings.ts'
import { Deframer } from '../core/wire/deframer.ts'
import { openingOf } from '../core/wire/opening.ts'
import { Exchange } from './exchange.ts'
import { type FarSide, refusalOf } from './far-side.ts'
import { messageOf } from './frames-in.ts'
import type { Journal } from './journal.ts'

export interface Surroundings {
  readonly farSide: FarSide
  readonly journal: Journal
  /** The member that clients of this port are served by. */
  readonly member: number | undefined
}

export class BridgedClient {
  readonly #socket: Socket
  readonly #address: string
  readonly #around: Surroundings
  readonly #handshakeTimer: NodeJS.Timeout
  /** What came before the opening was whole. */
  #unopened: Uint8Array = new Uint8Array(0)
  readonly #deframer = new Deframer(settingRows.JUTE_MAX_BUFFER.max)
  #exchange: Exchange | undefined
  #far: WebSocket | undefined
  /** Frames, and how many pings, of the turn under way. */
  #frames: Uint8Array[] = []
  #pings = 0
  #isFlushSet = false
  /** Runs while the far side owes a sign of life. */
  #watchTimer: NodeJS.Timeout | undefined
  #isDraining = false
  /** Nothing the client sends is looked at any more. */
  #isOver = false

  constructor(socket: Socket, around: Surroundings) {
    this.#socket = socket
    this.#around = around
    this.#address = addressOf(socket)
    this.#handshakeTimer = setTimeout(() => this.#end('said nothing'), limits.handshakeMs)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveMs)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.#listenAgain())
    socket.on('end', () => this.#end('the client ended it'))
    socket.on('error', (error) => this.#end(error.message))
    socket.on('close', () => this.#end('the client is gone'))
  }

  /** Reads no more and ends when everything asked so far is answered, or at the latest after a while. */
  drain(): void {
    this.#isDraining = true
    setTimeout(() => this.#end('the bridge ends'), limits.drainMs).unref()
    this.#balance()
  }

  #read({ buffer, byteOffset, byteLength }: Buffer): void {
    if (this.#isOver) return
    // A plain view: `slice` of a Node Buffer would not copy.
    const chunk = new Uint8Array(buffer, byteOffset, byteLength)
    try {
      if (this.#exchange === undefined) this.#open(chunk)
      else this.#take(chunk, this.#exchange)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      this.#end(fault.message)
    }
  }

  #open(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#unopened, chunk])
    const opening = openingOf(bytes)
    if (opening === 'more') {
      this.#unopened = bytes
      return
    }
    clearTimeout(this.#handshakeTimer)
    if (opening === undefined) return this.#end('begins with neither a ConnectRequest nor a word')
    if (opening.type === 'word') return void this.#answerWord(opening.word)
    this.#exchange = new Exchange(opening.request.lastZxidSeen)
    this.#dial(opening.request.sessionId)
    this.#take(new Uint8Array(bytes), this.#exchange)
    return undefined
  }

  async #answerWord(word: string): Promise<void> {
    const { farSide, journal, member } = this.#around
    this.#isOver = true
    try {
      this.#socket.write(await farSide.word(word, member))
      journal.detail(`${this.#address}: ${word}`)
    } catch (fault) {
      journal.trouble(`cannot ask ${farSide.name} for ${word}: ${reasonOf(fault)}`)
    }
    this.#endSocket()
  }

  #dial(session: bigint): void {
    const { farSide, journal, member } = this.#around
    const client = { address: this.#address, subject: subjectOf(this.#socket) }
    const far = farSide.dial({ session, client, member })
    this.#far = far
    const failed = (why: string): void => {
      if (!this.#isOver) journal.trouble(`cannot reach ${farSide.name}: ${why}`)
      this.#end(why)
    }
    far.on('open', () => {
      journal.detail(`${this.#address}: carried`)
      this.#flush()
    })
    far.on('unexpected-response', (_, answer) => {
      refusalOf(answer).then(failed, (fault: unknown) => failed(reasonOf(fault)))
    })
    far.on('pong', () => {
      this.#stopWatching()
      this.#watch()
    })
    far.on('message', (data, isBinary) => this.#hear(data as Buffer, isBinary))
    far.on('error', (error) => failed(reasonOf(error)))
    far.on('close', (code, reason) =>
      this.#end(`the far side ended it: ${code} ${reason.toString()}`.trim()),
    )
  }

  /** Frames of the client; they leave together with all others of this turn. */
  #take(chunk: Uint8Array, exchange: Exchange): void {
    for (const frame of this.#deframer.push(chunk)) {
      if (exchange.request(frame) === 'pass') this.#frames.push(frame)
      else this.#pings += 1
    }
    if (!this.#isFlushSet) {
      this.#isFlushSet = true
      setImmediate(() => this.#flush())
    }
    this.#balance()
  }

  #flush(): void {
    this.#isFlushSet = false
    this.#send()
    this.#watch()
    this.#balance()
  }

  #send(): void {
    const far = this.#far
    if (this.#isOver || far === undefined || far.readyState !== far.OPEN) return
    for (const frames of inMessages(this.#frames)) far.send(messageOf(frames), this.#sent)
    for (; this.#pings > 0; this.#pings--) far.send('ping')
    this.#frames = []
  }

  /** A message has left. Where many wait to leave, that is a sign of life. */
  readonly #sent = (): void => {
    if (this.#isCrowded) this.#stopWatching()
    this.#watch()
    this.#balance()
  }

  /** Bytes, or the text `pong`, of the far side. */
  #hear(message: Buffer, isBinary: boolean): void {
    const exchange = this.#exchange
    if (this.#isOver || exchange === undefined) return
    this.#stopWatching()
    try {
      if (isBinary) this.#write(exchange.reply(message))
      else if (message.toString() === 'pong') this.#write(exchange.pong())
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      const { journal, farSide } = this.#around
      journal.trouble(`${farSide.name} does not speak ZooKeeper: ${fault.message}`)
      this.#end(fault.message)
    }
    this.#watch()
    this.#balance()
  }

  #write(chunks: readonly Uint8Array[]): void {
    if (chunks.length === 0) return
    this.#socket.cork()
    setImmediate(() => this.#socket.uncork())
    for (const chunk of chunks) {
      // A client that reads slower than it is told is told slower.
      if (!this.#socket.write(chunk)) this.#far?.pause()
    }
  }

  #listenAgain(): void {
    if (this.#far?.isPaused === true) this.#far.resume()
  }

  /** The far side has more to take or to answer than a client may have under way. */
  get #isCrowded(): boolean {
    const bytes = this.#far?.bufferedAmount ?? 0
    const outstanding = this.#exchange?.outstanding ?? 0
    return bytes > limits.bridgeBufferedBytesMax || outstanding >= limits.bridgeOutstandingMax
  }

  /**
   * A far side that owes a pong and stays silent is dead, whatever TCP says. So is one that owes so much that we do not
   * hear the client’s own pings: there a WebSocket’s ping asks, which does not count for the session.
   */
  #watch(): void {
    const [far, exchange] = [this.#far, this.#exchange]
    if (this.#watchTimer !== undefined || exchange === undefined || this.#isOver) return
    if (far === undefined || far.readyState !== far.OPEN) return
    const isPinged = exchange.pingsUnheard > this.#pings
    if (!isPinged && !this.#isCrowded) return
    if (!isPinged) far.ping()
    const withinMs = Math.max(limits.pongMsMin, exchange.sessionTimeoutMs / 3)
    this.#watchTimer = setTimeout(() => {
      this.#watchTimer = undefined
      // While we do not listen, because the client does not read, silence says nothing.
      if (far.isPaused) return this.#watch()
      const { journal, farSide } = this.#around
      journal.trouble(`${farSide.name} leaves pings unanswered`)
      return this.#end(`silent for ${Math.round(withinMs)} ms`)
    }, withinMs)
  }

  #stopWatching(): void {
    clearTimeout(this.#watchTimer)
    this.#watchTimer = undefined
  }

  /** Reads the client only as fast as the far side takes and answers what it asks. */
  #balance(): void {
    const [far, exchange] = [this.#far, this.#exchange]
    if (this.#isOver) return
    if (this.#isDraining && (exchange?.outstanding ?? 0) === 0) return this.#end('the bridge ends')
    const isOpening = exchange === undefined
    const isCarried = far !== undefined && far.readyState === far.OPEN
    const isRead = !this.#isDraining && !this.#isCrowded && (isOpening || isCarried)
    if (isRead) this.#socket.resume()
    else this.#socket.pause()
  }

  /** Ends both sides; each still gets what is on its way to it. */
  #end(why: string): void {
    if (this.#isOver) return
    this.#send()
    this.#isOver = true
    clearTimeout(this.#handshakeTimer)
    this.#stopWatching()
    this.#listenAgain()
    this.#far?.close()
    this.#endSocket()
    this.#around.journal.detail(`${this.#address}: over, ${why}`)
  }

  #endSocket(): void {
    const socket = this.#socket
    socket.end()
    // Bytes that nobody reads would make the kernel throw away the last ones we wrote.
    socket.resume()
    const linger = setTimeout(() => socket.destroy(), limits.lingerMs)
    socket.once('close', () => clearTimeout(linger))
  }
}

/** A client whose machine is gone is noticed by TCP itself. */
const keepAliveMs = 60_000

/** As ZooKeeper prints it: `127.0.0.1:50412`, `[::1]:50412`. */
function addressOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  const host = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '')
  return host.includes(':') ? `[${host}]:${remotePort}` : `${host}:${remotePort}`
}

/** Of the certificate that TLS found good, the most telling part first, as RFC 2253 writes it. */
function subjectOf(socket: Socket): string {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return ''
  const subject = socket.getPeerX509Certificate()?.subject ?? ''
  return subject.split('\n').toReversed().join(',')
}

/** An error of several addresses tried has no message of its own. */
export function reasonOf(fault: unknown): string {
  if (fault instanceof AggregateError) return fault.errors.map(reasonOf).join(', ')
  return fault instanceof Error ? fault.message : String(fault)
}

/** Frames in messages of a bounded size. */
function* inMessages(frames: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let [first, bytes] = [0, 0]
  for (let at = 0; at < frames.length; at++) {
    const { length } = frames[at] as Uint8Array
    if (at > first && bytes + length > limits.socketMessageBytesMax) {
      yield frames.slice(first, at)
      first = at
      bytes = 0
    }
    bytes += 4 + length
  }
  if (first < frames.length) yield frames.slice(first)
}
