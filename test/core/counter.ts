/** A member's desk with a leader behind it that decides, and a tree that moves, when a test says so. */
import { type Decoded, Writer } from '../../src/core/jute/codec.ts'
import { WatcherEvent } from '../../src/core/jute/records.ts'
import type { Forwarded } from '../../src/core/request/forward.ts'
import { Desk, type DeskRules } from '../../src/core/session/desk/desk.ts'
import {
  type DownMessage,
  readDown,
  type UpMessage,
  verdicts,
  writeUp,
} from '../../src/core/session/edge-messages.ts'
import { asSid, type SessionId } from '../../src/core/shared/units.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import { eventTypes, type Operation, opcodes, xids } from '../../src/core/wire/opcodes.ts'
import { readReply, writeRequest } from '../../src/core/wire/packets.ts'
import { refusalOf } from '../../src/core/wire/refusals.ts'
import { Machine, session } from './machine.ts'

const eventNames = Object.fromEntries(
  Object.entries(eventTypes).map(([name, code]) => [code, name]),
)
const edge = 9
/** A session of another member. */
const stranger = session(100)

/** As the settings' defaults. */
const noRules: DeskRules = {
  maxCnxns: 0,
  maxClientCnxns: 0,
  requestThrottleMaxRequests: 0,
  throttledOpWaitTimeMs: 0,
  localSessionsEnabled: false,
  localSessionsUpgradingEnabled: true,
}

const client = {
  timeoutMs: 5000,
  address: 'test',
  lastZxid: 0,
  identities: [],
  canBeReadOnly: false,
} as const

export class Counter {
  readonly machine = new Machine()
  readonly desk: Desk
  /** Asked of the leader and not decided yet. */
  readonly forwarded: Forwarded[] = []
  readonly syncs: number[] = []
  readonly revalidations: { number: number; session: SessionId; attachment: number }[] = []
  #timeMs = 5000

  constructor(rules: Partial<DeskRules> = {}, requiredSchemes: readonly string[] = []) {
    this.desk = new Desk(
      () => this.machine.tree,
      () => this.#timeMs,
      {
        forward: (request) => void this.forwarded.push(request),
        sync: (number) => void this.syncs.push(number),
        revalidate: (number, id, attachment) =>
          void this.revalidations.push({ number, session: id, attachment }),
      },
      { superDigest: undefined, sha1: () => 'hash', requiredSchemes: new Set(requiredSchemes) },
      { ...noRules, ...rules },
      0x7fff_fff0,
    )
    this.machine.open(stranger, 2)
  }

  get nowMs(): number {
    return this.#timeMs
  }

  pass(ms: number): void {
    this.#timeMs += ms
  }

  say(...messages: UpMessage[]): void {
    const writer = new Writer()
    for (const message of messages) writeUp(writer, message)
    this.desk.receive(edge, writer.take())
  }

  /** Opens sessions 1 to `count`, each in the slot of its number. */
  open(count = 1): this {
    for (let slot = 1; slot <= count; slot++) {
      const id = session(slot)
      this.say({ ...client, type: 'open', slot, session: id })
    }
    this.decide()
    this.heard()
    return this
  }

  ask<O extends Operation>(
    slot: number,
    xid: number,
    operation: O,
    body: Decoded<(typeof opcodes)[O]['request']>,
  ): void {
    this.say({ type: 'request', slot, frame: writeRequest(xid, operation, body).slice(4) })
  }

  raw(slot: number, frame: Uint8Array): void {
    this.say({ type: 'request', slot, frame })
  }

  /** `more` is what the actor says with it. */
  resume(
    slot: number,
    id: number,
    watches: Partial<UpMessage & { type: 'resume' }> = {},
    ...more: readonly UpMessage[]
  ): void {
    const resume: UpMessage = {
      type: 'resume',
      slot,
      session: session(id),
      ...client,
      isLocal: false,
      dataWatches: [],
      existWatches: [],
      childWatches: [],
      persistentWatches: [],
      persistentRecursiveWatches: [],
      ...watches,
    }
    this.say(resume, ...more)
    for (const { number, session: of, attachment } of this.revalidations.splice(0)) {
      this.desk.revalidated(number, this.machine.proposer.revalidate(of, asSid(1), attachment))
    }
  }

  /** The leader decides everything that waits, and it is applied. */
  decide(count = Infinity): void {
    for (const request of this.forwarded.splice(0, count)) {
      this.#timeMs += 1
      this.machine.proposer.prepare(asSid(1), request, this.#timeMs)
    }
    this.machine.applyEach((origin, header, body, apply) => {
      const number = this.desk.waitsFor(origin) ? origin : undefined
      if (number !== undefined) this.desk.willApply(number)
      const { outcome, events } = apply()
      this.desk.applied(number, header, body, outcome, events)
    })
  }

  /** Somebody else's write, through another member. */
  write(request: Uint8Array): void {
    this.machine.propose(request, stranger, 2)
    this.decide(0)
  }

  /** The zxid of each reply since the last call. */
  zxidsHeard(): number[] {
    return this.pieces()
      .flatMap((piece) => readDown(piece))
      .flatMap((message) => (message.type === 'frames' ? framesOf(message.frames) : []))
      .map((frame) => readReply(frame).header.zxid)
  }

  /** What the actor was told since the last call, a line each: `slot: what`. */
  heard(): string[] {
    return this.pieces().flatMap(linesIn)
  }

  /** The same as it leaves, in messages. */
  pieces(): readonly Uint8Array[] {
    return this.desk.takeOutput(edge)
  }
}

export const linesIn = (piece: Uint8Array): string[] => readDown(piece).flatMap(linesOf)

const verdictNames = Object.fromEntries(
  Object.entries(verdicts).map(([name, code]) => [code, name]),
)

function linesOf(message: DownMessage): string[] {
  switch (message.type) {
    case 'attached':
      return [`${message.slot}: ${verdictNames[message.verdict]}`]
    case 'frames':
      return framesOf(message.frames).map((frame) => `${message.slot}: ${showReply(frame)}`)
    case 'event':
      return message.slots.flatMap((slot) =>
        framesOf(message.frame).map((frame) => `${slot}: ${showReply(frame)}`),
      )
    case 'hangup':
    case 'upgraded':
    case 'ended':
    case 'proved':
      return [`${message.slot}: ${message.type}`]
    case 'expired':
      return [`expired ${message.session}`]
    case 'members':
      return [`members ${message.sids.join(' ')}`]
    case 'sessions':
      return [`sessions ${message.sessions.map((one) => one.session).join(' ')}`]
  }
}

const framesOf = (bytes: Uint8Array | null): Uint8Array[] =>
  new Deframer(2 ** 24).push(bytes ?? new Uint8Array(0))

function showReply(frame: Uint8Array): string {
  const { header, body } = readReply(frame)
  if (header.xid === xids.watchEvent) {
    const { type, path } = WatcherEvent.read(body)
    return `${eventNames[type]} ${path}`
  }
  return header.err === 0 ? `${header.xid} ok` : `${header.xid} ${refusalOf(header.err)}`
}
