/** Steps of a multi, and what each of them answers. */
import { MalformedFrame, type Reader } from '../core/jute/codec.ts'
import type { Acl, Stat } from '../core/jute/records.ts'
import { type MultiResult, readMultiResponse } from '../core/wire/multi.ts'
import type { Operation } from '../core/wire/opcodes.ts'
import { refusalOf } from '../core/wire/refusals.ts'
import {
  bytesOf,
  containerRequest,
  type Created,
  type CreateOptions,
  createRequest,
  type CreateTtlOptions,
  type Data,
  type NodeOptions,
  ttlRequest,
} from './create.ts'
import { MultiError } from './errors.ts'

/** One step of a multi. `R` is what it answers. */
export interface Step<R> {
  readonly operation: Operation
  readonly path: string
  /** Its record; `acl` is of nodes that are created without one. */
  readonly requestWith: (acl: readonly Acl[]) => object
  /** `inward` is the application's name of a path. */
  answerOf(reply: unknown, inward: (path: string) => string): R
}

/** What a list of steps answers, in the same places. */
export type Answers<S extends readonly Step<unknown>[]> = {
  -readonly [K in keyof S]: S[K] extends Step<infer R> ? R : never
}

interface VersionOption {
  readonly version?: number
}

/** The steps of `client.multi`. A `version` is what the node must have; without one any will do. */
export const step = {
  /** Answers the path, with its digits where sequential. */
  create: (path: string, options: CreateOptions = {}): Step<string> =>
    stepOf('create', path, (acl) => createRequest(path, options, acl), pathOf),

  /** As `create`, without the stat too: servers take it and answer it so in a multi (seen in 3.8.0). */
  create2: (path: string, options: CreateOptions = {}): Step<string> =>
    stepOf('create2', path, (acl) => createRequest(path, options, acl), pathOf),

  /** Answers the path and the new node's stat. */
  createContainer: (path: string, options: NodeOptions = {}): Step<Created> =>
    stepOf('createContainer', path, (acl) => containerRequest(path, options, acl), createdOf),

  /** Answers the path, with its digits where sequential, and the new node's stat. */
  createTtl: (path: string, ttlMs: number, options: CreateTtlOptions = {}): Step<Created> =>
    stepOf('createTtl', path, (acl) => ttlRequest(path, ttlMs, options, acl), createdOf),

  /** Answers the new stat. */
  set: (path: string, data: Data, { version = -1 }: VersionOption = {}): Step<Stat> =>
    stepOf(
      'setData',
      path,
      () => ({ path, data: bytesOf(data), version }),
      (reply) => (reply as { stat: Stat }).stat,
    ),

  delete: (path: string, { version = -1 }: VersionOption = {}): Step<undefined> =>
    stepOf(
      'delete',
      path,
      () => ({ path, version }),
      () => undefined,
    ),

  /** Changes nothing; the multi fails unless the node exists with this version. */
  check: (path: string, { version = -1 }: VersionOption = {}): Step<undefined> =>
    stepOf(
      'check',
      path,
      () => ({ path, version }),
      () => undefined,
    ),
}

/** The answers of a multi's reply. Throws MultiError where a step was refused, MalformedFrame where one has no answer. */
export function readAnswers<S extends readonly Step<unknown>[]>(
  steps: S,
  body: Reader,
  inward: (path: string) => string,
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
  return steps.map((one, at) => one.answerOf(replyTo(one, results[at]), inward)) as Answers<S>
}

function replyTo({ operation }: Step<unknown>, result: MultiResult | undefined): unknown {
  const isAnswer = result !== undefined && 'reply' in result
  if (!isAnswer || !answeredAs(operation).includes(result.operation)) {
    throw new MalformedFrame(`a multi’s ${operation} has no answer`)
  }
  return result.reply
}

/** Servers name a result by its shape: with a stat it is create2's. */
function answeredAs(operation: Operation): readonly Operation[] {
  if (operation === 'create2') return ['create', 'create2']
  const hasStat = operation === 'createContainer' || operation === 'createTtl'
  return hasStat ? ['create2', operation] : [operation]
}

const runtimeInconsistency = -2

function stepOf<R>(
  operation: Operation,
  path: string,
  requestWith: Step<R>['requestWith'],
  answerOf: Step<R>['answerOf'],
): Step<R> {
  return { operation, path, requestWith, answerOf }
}

const pathOf = (reply: unknown, inward: (path: string) => string): string =>
  inward((reply as Created).path)

const createdOf = (reply: unknown, inward: (path: string) => string): Created => {
  const { path, stat } = reply as Created
  return { path: inward(path), stat }
}
