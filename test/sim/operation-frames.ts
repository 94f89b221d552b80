/** Operations as frames, and replies as answers: what a client's codec does. */
import { type Codec, type Decoded, type Reader, Writer } from '../../src/core/jute/codec.ts'
import type { Stat } from '../../src/core/jute/records.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import {
  type MultiOperation,
  readMultiResponse,
  writeMultiRequest,
} from '../../src/core/wire/multi.ts'
import { type Operation as Name, opcodes, watcherTypes } from '../../src/core/wire/opcodes.ts'
import type { Answer, Operation } from './model.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? undefined)

const names = {
  create: 'create2',
  set: 'setData',
  delete: 'delete',
  check: 'check',
  multi: 'multi',
  get: 'getData',
  exists: 'exists',
  children: 'getChildren2',
  addWatch: 'addWatch',
  removeWatches: 'removeWatches',
  sync: 'sync',
  close: 'closeSession',
  reconfig: 'reconfig',
} as const satisfies Record<Operation['type'], Name>

/** The frame without its length. */
export function frameOf(xid: number, operation: Operation): Uint8Array {
  const name = names[operation.type]
  const writer = new Writer()
  writer.int(xid)
  writer.int(opcodes[name].code)
  if (operation.type === 'multi') writeMultiRequest(writer, operation.operations.map(partOf))
  else (opcodes[name].request as Codec<unknown>).write(writer, recordOf(operation))
  return writer.take()
}

function partOf(operation: Operation): MultiOperation {
  return { operation: names[operation.type], request: recordOf(operation) }
}

function recordOf(operation: Operation): unknown {
  switch (operation.type) {
    case 'create': {
      const { path, data, flags } = operation
      return { path, data: bytesOf(data), acl: worldAnyone, flags }
    }
    case 'set':
      return { path: operation.path, data: bytesOf(operation.data), version: operation.version }
    case 'addWatch':
      return { path: operation.path, mode: operation.recursive ? 1 : 0 }
    case 'removeWatches':
      return { path: operation.path, type: watcherTypes.any }
    case 'reconfig': {
      const { joining, leaving } = operation
      return {
        joiningServers: joining === undefined ? null : lineOf(joining),
        leavingServers: leaving === undefined ? null : String(leaving),
        newMembers: null,
        curConfigId: -1,
      }
    }
    case 'close':
    case 'multi':
      return undefined
    case 'delete':
    case 'check':
    case 'get':
    case 'exists':
    case 'children':
    case 'sync':
      return operation
  }
}

const lineOf = ({ sid, votes }: { readonly sid: number; readonly votes: boolean }): string =>
  `server.${sid}=member-${sid}:2888:3888:${votes ? 'participant' : 'observer'};10.0.0.${sid}:2181`

interface Body {
  readonly path?: string
  readonly stat?: Stat
  readonly data?: Uint8Array | null
  readonly children?: readonly string[]
}

export function answerOf(operation: Operation, err: number, body: Reader): Answer {
  if (err !== 0) return { err }
  if (operation.type === 'multi') {
    const results = readMultiResponse(body).map((result) =>
      'err' in result ? { err: result.err } : plain(result.reply as Body | undefined),
    )
    return { err: 0, results }
  }
  const codec = opcodes[names[operation.type]].reply as Codec<unknown>
  const reply = codec.read(body) as Decoded<typeof codec> as Body | undefined
  // Its Stat tells of a node that no client made.
  if (operation.type === 'reconfig') return { err: 0, data: textOf(reply?.data ?? null) }
  // A sync repeats its path, and an ErrorResponse its code: nothing the model knows of.
  return operation.type === 'sync' || operation.type === 'addWatch' ? { err: 0 } : plain(reply)
}

function plain(reply: Body | undefined): Answer {
  if (reply === undefined) return { err: 0 }
  const { path, stat, data, children } = reply
  return {
    err: 0,
    ...(path === undefined ? {} : { path }),
    ...(stat === undefined ? {} : { stat }),
    ...(data === undefined ? {} : { data: textOf(data) }),
    ...(children === undefined ? {} : { children }),
  }
}
