/** What the oracle does to a server: a script of steps, each of one session. Any part of a script is a script. */
import { type Codec, Writer } from '../../src/core/jute/codec.ts'
import type { Acl } from '../../src/core/jute/records.ts'
import { type MultiOperation, writeMultiRequest } from '../../src/core/wire/multi.ts'
import { type Operation, opcodes } from '../../src/core/wire/opcodes.ts'

export type Step =
  /** One request, or several in one segment; chopped, in many. */
  | {
      readonly act: 'ask'
      readonly session: number
      readonly requests: readonly Request[]
      readonly isChopped?: boolean
    }
  /** Bytes that are no frame. */
  | { readonly act: 'bytes'; readonly session: number; readonly bytes: Uint8Array }
  /** The client is gone without a word, or in the midst of one. */
  | { readonly act: 'drop'; readonly session: number; readonly half?: Request }
  /** The client comes back with its session's id and password. */
  | { readonly act: 'resume'; readonly session: number; readonly timeoutMs: number }
  /** The client goes on at the next server; what it asks on the connection it left is asked too late. */
  | { readonly act: 'move'; readonly session: number; readonly stale?: Request }
  /** The client is silent for so long that its session is over. */
  | { readonly act: 'expire'; readonly session: number }
  /** A connection of its own. */
  | { readonly act: 'intrude'; readonly session: number; readonly as: Intruder }
  /** Somebody who may read everything looks at every node. */
  | { readonly act: 'audit'; readonly session: number; readonly roots: readonly string[] }

/**
 * With a wrong password; with an id nobody has; with the id of a session that was closed; from the future; with a first
 * frame that is no ConnectRequest; in the words of ZooKeeper 3.3; content with reading; asking before it was greeted.
 */
export const intruders = [
  'thief',
  'stranger',
  'ghost',
  'prophet',
  'babbler',
  'ancient',
  'reader',
  'impatient',
] as const
export type Intruder = (typeof intruders)[number]

export interface Request {
  readonly op: Operation
  /** Zxids in it are counted from the beginning of the run; below zero, from the beginning of time. */
  readonly body: unknown
  /** In place of the operation’s own. */
  readonly code?: number
  /** In place of the next number. */
  readonly xid?: number
  /** In place of the body. */
  readonly raw?: Uint8Array
}

/** The bytes of a request. `base`: the zxid the run began at. */
export function bytesOf({ op, body, code, raw }: Request, xid: number, base: number): Uint8Array {
  const writer = new Writer()
  writer.int(0)
  writer.int(xid)
  writer.int(code ?? opcodes[op].code)
  if (raw !== undefined) writer.raw(raw)
  else if (op === 'multi' || op === 'multiRead') {
    writeMultiRequest(writer, body as readonly MultiOperation[])
  } else (opcodes[op].request as Codec<unknown>).write(writer, absolute(op, body, base))
  writer.patchInt(0, writer.at - 4)
  return writer.take()
}

function absolute(op: Operation, body: unknown, base: number): unknown {
  if (op !== 'setWatches' && op !== 'setWatches2') return body
  const asked = body as { readonly relativeZxid: number }
  // Servers begin at different zxids: what is before this run is before everything.
  const relativeZxid = asked.relativeZxid < 0 ? 0 : base + asked.relativeZxid
  return { ...asked, relativeZxid }
}

export function showStep(step: Step): string {
  const who = `s${step.session}`
  switch (step.act) {
    case 'ask':
      return `${who}${step.isChopped === true ? ' chopped' : ''} ${step.requests.map(showRequest).join(' ; ')}`
    case 'bytes':
      return `${who} bytes ${hex(step.bytes)}`
    case 'drop':
      return step.half === undefined ? `${who} drop` : `${who} drop in ${showRequest(step.half)}`
    case 'resume':
      return `${who} resume ${step.timeoutMs} ms`
    case 'move':
      return step.stale === undefined
        ? `${who} move`
        : `${who} move, late ${showRequest(step.stale)}`
    case 'intrude':
      return `${who} ${step.as}`
    case 'expire':
      return `${who} expire`
    case 'audit':
      return `audit of ${step.roots.join(' ')}`
  }
}

export function showRequest({ op, body, code, xid, raw }: Request): string {
  const name = code === undefined ? op : `${op}(as ${code})`
  const numbered = xid === undefined ? name : `${name}#${xid}`
  return `${numbered} ${raw === undefined ? show(body) : hex(raw)}`
}

export const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`

/** Compact, on one line. */
export function show(value: unknown): string {
  if (value === undefined) return ''
  if (value instanceof Uint8Array) return showBytes(value)
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isAclEntry(value)) return `${value.id.scheme}:${value.id.id}:${value.perms}`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.map(([name, field]) => `${name}: ${show(field)}`).join(', ')}}`
}

const showBytes = (bytes: Uint8Array): string =>
  bytes.length > 60 ? `«${bytes.length} bytes»` : `«${Buffer.from(bytes).toString('latin1')}»`

const isAclEntry = (value: object): value is Acl => 'perms' in value && 'id' in value
