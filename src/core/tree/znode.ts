/** A znode as the tree holds it, as a row of the checkpoint holds it, and as a client sees its Stat. */
import {
  buffer,
  type Decoded,
  decode,
  encode,
  id,
  int,
  long,
  record,
  vector,
  Writer,
} from '../jute/codec.ts'
import { Acl, type Stat } from '../jute/records.ts'
import { crc32 } from '../shared/crc32.ts'
import { isSessionOwner } from './owner.ts'

export interface Znode {
  data: Uint8Array | null
  acl: readonly Acl[]
  czxid: number
  mzxid: number
  pzxid: number
  ctime: number
  mtime: number
  version: number
  /** How many children were ever created: the source of sequence numbers. `Stat.cversion` is derived from it. */
  creations: number
  aversion: number
  /** The owning session of an ephemeral; 0 for all others. */
  owner: bigint
  childCount: number
  /** What this node adds to the tree's digest; kept with the row, brought up to date by `Tree.digest`. */
  digest: number
}

const ZnodeRow = record({
  data: buffer,
  acl: vector(Acl),
  czxid: long,
  mzxid: long,
  pzxid: long,
  ctime: long,
  mtime: long,
  version: int,
  creations: int,
  aversion: int,
  owner: id,
  childCount: int,
  digest: long,
})

export const znodeToRow = (node: Znode): Uint8Array => encode(ZnodeRow, node)

/** Throws MalformedFrame for bytes that are no row of ours. */
export function znodeFromRow(row: Uint8Array): Znode {
  const stored: Decoded<typeof ZnodeRow> = decode(ZnodeRow, row)
  return { ...stored }
}

/** What clients are told. A create and a delete of a child each move cversion by one. */
export const statOf = (node: Znode): Stat => ({
  czxid: node.czxid,
  mzxid: node.mzxid,
  ctime: node.ctime,
  mtime: node.mtime,
  version: node.version,
  cversion: (2 * node.creations - node.childCount) | 0,
  aversion: node.aversion,
  // Containers and times to live are not shown.
  ephemeralOwner: isSessionOwner(node.owner) ? node.owner : 0n,
  dataLength: node.data?.length ?? 0,
  numChildren: node.childCount,
  pzxid: node.pzxid,
})

const writer = new Writer(1024)

/**
 * A node's part of the digest (DigestCalculator, version 2): CRC-32 of path, data and 60 bytes of stat. The root's
 * path counts as empty, and nothing below /zookeeper/ counts.
 */
export function digestOf(path: string, node: Znode): number {
  if (path.startsWith('/zookeeper/')) return 0
  writer.reset()
  writer.ustring(path === '/' ? '' : path)
  const pathEnd = writer.at
  writer.long(node.czxid)
  writer.long(node.mzxid)
  writer.long(node.pzxid)
  writer.long(node.ctime)
  writer.long(node.mtime)
  writer.int(node.version)
  writer.int(node.creations)
  writer.int(node.aversion)
  writer.id(node.owner)
  const { written } = writer
  const ofPath = crc32(written, 0, 4, pathEnd)
  const soFar = node.data === null ? ofPath : crc32(node.data, ofPath)
  return crc32(written, soFar, pathEnd)
}

/** Rough memory of a cached node, for the cache's budget. */
export const bytesOf = (path: string, node: Znode): number =>
  240 + path.length + (node.data?.length ?? 0)
