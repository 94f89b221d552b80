/** What sessions can be asked to do: requests encoded once, of which at most a few digits change. */
import { opcodes } from '../src/core/wire/opcodes.ts'
import { createFlags } from '../src/core/wire/opcodes.ts'
import { type MultiOperation, writeMultiRequest } from '../src/core/wire/multi.ts'
import { frameOf, writeRequest } from '../src/core/wire/packets.ts'
import { worldAnyone } from '../src/core/tree/acl.ts'
import type { Work } from './generator.ts'

/** A Stat in a reply. */
const statBytes = 68
const lengthBytes = 4

export const dataOf = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0x64)

export const getWork = (path: string, bytes: number): Work =>
  same(writeRequest(0, 'getData', { path, watch: false }), lengthBytes + bytes + statBytes)

/** A get that leaves a watch. */
export const watchWork = (path: string): Work =>
  same(writeRequest(0, 'getData', { path, watch: true }), lengthBytes + statBytes)

export const existsWork = (path: string): Work =>
  same(writeRequest(0, 'exists', { path, watch: false }), statBytes)

export const setWork = (path: string, bytes: number): Work =>
  same(writeRequest(0, 'setData', { path, data: dataOf(bytes), version: -1 }), statBytes)

export const childrenWork = (path: string, count: number, nameBytes: number): Work =>
  same(
    writeRequest(0, 'getChildren', { path, watch: false }),
    lengthBytes + count * (lengthBytes + nameBytes),
  )

/** Ten gets for each set. */
export function mixWork(path: string, bytes: number): Work {
  const get = getWork(path, bytes)
  const set = setWork(path, bytes)
  let turn = 0
  return {
    requestBytesMax: Math.max(get.requestBytesMax, set.requestBytesMax),
    replyBytesMin: statBytes,
    next: () => {
      turn = turn === 10 ? 0 : turn + 1
      return turn === 0 ? set.next() : get.next()
    },
  }
}

/** One multi that sets every path. */
export const multiSetWork = (paths: readonly string[], bytes: number): Work =>
  multiWork(
    paths.map((path) => ({
      operation: 'setData',
      request: { path, data: dataOf(bytes), version: -1 },
    })),
    paths.length * statBytes,
  )

/** Nodes that do not exist, one after the other. */
export function createWork(parent: string, bytes: number): CreateWork {
  const request = writeRequest(0, 'create', {
    path: numbered(parent, 0),
    data: dataOf(bytes),
    acl: worldAnyone,
    flags: createFlags.persistent,
  })
  // Length, xid, opcode, the path's length, the path up to its digits.
  const digitsAt = 16 + parent.length + 1
  return {
    requestBytesMax: request.length,
    replyBytesMin: lengthBytes + parent.length + 1 + digits,
    created: 0,
    next() {
      writeDigits(request, digitsAt, this.created)
      this.created += 1
      return request
    },
  }
}

export interface CreateWork extends Work {
  /** Nodes 0 to this, without it. */
  created: number
}

export const numbered = (parent: string, number: number): string =>
  `${parent}/${String(number).padStart(digits, '0')}`

/** Who waits for a lock creates an ephemeral sequential node, and deletes it when it is done. */
export function lockWork(parent: string): Work {
  const create = writeRequest(0, 'create', {
    path: `${parent}/`,
    data: dataOf(16),
    acl: worldAnyone,
    flags: createFlags.ephemeralSequential,
  })
  const remove = writeRequest(0, 'delete', { path: numbered(parent, 0), version: -1 })
  const digitsAt = 16 + parent.length + 1
  const held: number[] = []
  return {
    requestBytesMax: Math.max(create.length, remove.length),
    replyBytesMin: 0,
    next() {
      const number = held.pop()
      if (number === undefined) return create
      writeDigits(remove, digitsAt, number)
      return remove
    },
    replied(bytes, from, to) {
      if (to === from) return // of a delete
      let number = 0
      for (let at = to - digits; at < to; at++) number = number * 10 + (bytes[at] as number) - 48
      held.push(number)
    },
  }
}

/** These multis, one after the other, once each. */
export function multisWork(multis: readonly (readonly MultiOperation[])[]): Work {
  const frames = multis.map(multiFrame)
  let at = 0
  return {
    requestBytesMax: Math.max(...frames.map(({ length }) => length)),
    replyBytesMin: 0,
    next: () => frames[at++] as Uint8Array,
  }
}

const multiWork = (operations: readonly MultiOperation[], replyBytesMin: number): Work =>
  same(multiFrame(operations), replyBytesMin)

const multiFrame = (operations: readonly MultiOperation[]): Uint8Array =>
  frameOf((into) => {
    into.int(0)
    into.int(opcodes.multi.code)
    writeMultiRequest(into, operations)
  })

export const createOperation = (path: string, bytes: number): MultiOperation => ({
  operation: 'create',
  request: { path, data: dataOf(bytes), acl: worldAnyone, flags: createFlags.persistent },
})

export const deleteOperation = (path: string): MultiOperation => ({
  operation: 'delete',
  request: { path, version: -1 },
})

/** What an echo gives back looks like a reply to its xid: zeros where a zxid and an error code are. */
export const echoWork = (bytes: number): Work => {
  const frame = Buffer.alloc(20 + bytes, 0)
  frame.writeInt32BE(16 + bytes, 0)
  return same(frame, bytes)
}

const same = (request: Uint8Array, replyBytesMin: number): Work => ({
  requestBytesMax: request.length,
  replyBytesMin,
  next: () => request,
})

/** As many as a sequential node has. */
const digits = 10

function writeDigits(bytes: Uint8Array, at: number, number: number): void {
  let left = number
  for (let place = at + digits - 1; place >= at; place--) {
    bytes[place] = 48 + (left % 10)
    left = Math.floor(left / 10)
  }
}
