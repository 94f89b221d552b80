/** Steps of a multi, and what each of them answers. */
import type { Decoded, Reader } from '../core/jute/codec.ts'
import type * as jute from '../core/jute/records.ts'
import { readMultiResponse, type MultiOperation } from '../core/wire/multi.ts'
import { createFlags } from '../core/wire/opcodes.ts'
import { refusalOf } from '../core/wire/refusals.ts'
import { MultiError } from './errors.ts'

/** How long a node lives, and whether the server appends ten digits that only grow to its name. */
export type CreateMode = 'persistent' | 'ephemeral' | 'persistentSequential' | 'ephemeralSequential'

/** A string stands for its UTF-8 bytes; null is ZooKeeper's null, which is not the same as no bytes. */
export type Data = Uint8Array | string | null

export interface CreateOptions {
  /** Default: no bytes. */
  readonly data?: Data
  /** Default: persistent. */
  readonly mode?: CreateMode
  /** Default: everyone may do everything. */
  readonly acl?: readonly jute.Acl[]
}

/** What `create2` answers: the path with its digits, and the new node's stat. */
export interface Created {
  readonly path: string
  readonly stat: jute.Stat
}

/** One step of a multi. `R` is what it answers. */
export interface Step<R> extends MultiOperation {
  readonly path: string
  answerOf(reply: unknown): R
}

/** What a list of steps answers, in the same places. */
export type Answers<S extends readonly Step<unknown>[]> = {
  -readonly [K in keyof S]: S[K] extends Step<infer R> ? R : never
}

/** World: everyone may do everything. */
export const openAcl: readonly jute.Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

/**
 * The steps of `client.multi`. A `version` is what the node must have; without one any will do.
 * There is no create2: Apache ZooKeeper answers it in a multi as it answers create, without a stat (seen in 3.8.0).
 */
export const step = {
  /** Answers the path, with its digits where sequential. */
  create(path: string, options: CreateOptions = {}): Step<string> {
    const request = createRequest(path, options)
    return { operation: 'create', path, request, answerOf: (reply) => (reply as PathResponse).path }
  },
  /** Answers the new stat. */
  set(
    path: string,
    data: Data,
    { version = -1 }: { readonly version?: number } = {},
  ): Step<jute.Stat> {
    const request = { path, data: bytesOf(data), version }
    return {
      operation: 'setData',
      path,
      request,
      answerOf: (reply) => (reply as StatResponse).stat,
    }
  },
  delete(path: string, { version = -1 }: { readonly version?: number } = {}): Step<undefined> {
    return { operation: 'delete', path, request: { path, version }, answerOf: () => undefined }
  },
  /** Changes nothing; the multi fails unless the node exists with this version. */
  check(path: string, { version = -1 }: { readonly version?: number } = {}): Step<undefined> {
    return { operation: 'check', path, request: { path, version }, answerOf: () => undefined }
  },
}

/** The answers of a multi's reply. Throws MultiError where a step was refused. */
export function readAnswers<S extends readonly Step<unknown>[]>(
  steps: S,
  body: Reader,
): Answers<S> {
  const results = readMultiResponse(body)
  // Steps before the failing one say 0 and those behind it say −2: the first of any other kind is the one.
  const refused = results.map((result) => ('err' in result ? result.err : 0))
  const failed = refused.findIndex((err) => err !== 0 && err !== runtimeInconsistency)
  const index = failed === -1 ? refused.findIndex((err) => err !== 0) : failed
  if (index !== -1) {
    const { operation = 'multi', path } = steps[index] ?? {}
    throw new MultiError(index, refusalOf(refused[index] as number) ?? 'Unknown', operation, path)
  }
  const replies = results.map((result) => ('reply' in result ? result.reply : undefined))
  return steps.map((one, at) => one.answerOf(replies[at])) as Answers<S>
}

const runtimeInconsistency = -2

type PathResponse = Decoded<typeof jute.PathResponse>
type StatResponse = Decoded<typeof jute.StatResponse>

export function createRequest(path: string, options: CreateOptions) {
  const { data = '', mode = 'persistent', acl = openAcl } = options
  return { path, data: bytesOf(data), acl, flags: createFlags[mode] }
}

export function bytesOf(data: Data): Uint8Array | null {
  return typeof data === 'string' ? encoder.encode(data) : data
}

const encoder = new TextEncoder()
