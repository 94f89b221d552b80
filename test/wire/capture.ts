/** Reads what scripts/record-capture.ts wrote: bytes of real clients and a real server. */
import { readdirSync, readFileSync } from 'node:fs'
import { Reader } from '../../src/core/jute/codec.ts'
import { type Operation, operationOf } from '../../src/core/wire/opcodes.ts'

export interface Frame {
  readonly from: 'client' | 'server'
  /** As in the comment above its line. */
  readonly name: string
  /** Without its length. */
  readonly bytes: Uint8Array
  /** What it asks, or what its reply answers; undefined for handshakes and watch events. */
  readonly operation: Operation | undefined
  readonly handshake: boolean
}

/** One link: its frames in the order they passed. */
export type Link = readonly Frame[]

const folder = new URL('capture/', import.meta.url)

export const captures: readonly { readonly name: string; readonly links: readonly Link[] }[] =
  readdirSync(folder)
    .filter((file) => file.endsWith('.hex'))
    .map((file) => ({
      name: file.slice(0, -4),
      links: read(readFileSync(new URL(file, folder), 'utf8')),
    }))

function read(text: string): Link[] {
  const links: Frame[][] = []
  let operations = new Map<number, Operation | undefined>()
  let name = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) name = line.slice(2)
    if (line.startsWith('link ')) {
      links.push([])
      operations = new Map()
    }
    const [, arrow, nth, hex = ''] = /^([<>]) (\d+) ([0-9a-f]*)$/.exec(line) ?? []
    if (arrow === undefined) continue
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'))
    const handshake = nth === '0'
    const xid = handshake ? 0 : new Reader(bytes).int()
    const from = arrow === '>' ? 'client' : 'server'
    if (from === 'client' && !handshake)
      operations.set(xid, operationOf(new Reader(bytes, 4).int()))
    links.at(-1)?.push({ from, name, bytes, operation: operations.get(xid), handshake })
  }
  return links
}
