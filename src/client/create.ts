/** What a node is created with. */
import type * as jute from '../core/jute/records.ts'
import { createFlags } from '../core/wire/opcodes.ts'
import { allow } from './acl.ts'

/** How long a node lives, and whether the server appends ten digits that only grow to its name. */
export type CreateMode = 'persistent' | 'ephemeral' | 'persistentSequential' | 'ephemeralSequential'

/** A string stands for its UTF-8 bytes; null is ZooKeeper's null, which is not the same as no bytes. */
export type Data = Uint8Array | string | null

/** What every new node has. */
export interface NodeOptions {
  /** Default: no bytes. */
  readonly data?: Data
  /** Default: the client's, which is that everyone may do everything. */
  readonly acl?: readonly jute.Acl[]
}

export interface CreateOptions extends NodeOptions {
  /** Default: persistent. */
  readonly mode?: CreateMode
}

export interface CreateTtlOptions extends NodeOptions {
  /** The server appends ten digits that only grow. Default: false. */
  readonly sequential?: boolean
}

/** Where the node was created, its digits included, and its stat. */
export interface Created {
  readonly path: string
  readonly stat: jute.Stat
}

/** World: everyone may do everything. */
export const openAcl: readonly jute.Acl[] = [allow.world()]

/** Here and below: `acl` is of nodes whose options name none. */
export function createRequest(path: string, options: CreateOptions, acl: readonly jute.Acl[]) {
  return { ...nodeRequest(path, options, acl), flags: createFlags[options.mode ?? 'persistent'] }
}

export function containerRequest(path: string, options: NodeOptions, acl: readonly jute.Acl[]) {
  return { ...nodeRequest(path, options, acl), flags: createFlags.container }
}

export function ttlRequest(
  path: string,
  ttlMs: number,
  options: CreateTtlOptions,
  acl: readonly jute.Acl[],
) {
  const { persistentWithTtl, persistentSequentialWithTtl } = createFlags
  const flags = options.sequential ? persistentSequentialWithTtl : persistentWithTtl
  return { ...nodeRequest(path, options, acl), flags, ttl: ttlMs }
}

function nodeRequest(path: string, options: NodeOptions, acl: readonly jute.Acl[]) {
  return {
    path,
    data: bytesOf(options.data === undefined ? '' : options.data),
    acl: options.acl ?? acl,
  }
}

export function bytesOf(data: Data): Uint8Array | null {
  return typeof data === 'string' ? encoder.encode(data) : data
}

const encoder = new TextEncoder()
