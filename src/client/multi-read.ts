/** Many reads in one request, of one state of the tree; each is answered by itself. */
import { MalformedFrame, type Reader } from '../core/jute/codec.ts'
import { type MultiOperation, readMultiResponse } from '../core/wire/multi.ts'
import { refusalOf } from '../core/wire/refusals.ts'
import type { Value } from './answers.ts'
import { ZooKeeperError } from './errors.ts'

/** One read of a multiRead. `R` is what it answers. */
export interface Read<R> extends MultiOperation {
  readonly path: string
  readonly request: { readonly path: string; readonly watch: false }
  answerOf(reply: unknown): R
}

/** What a list of reads answers, in the same places: a refused one its error. */
export type ReadAnswers<S extends readonly Read<unknown>[]> = {
  -readonly [K in keyof S]: S[K] extends Read<infer R> ? R | ZooKeeperError : never
}

/** The reads of `client.multiRead`. */
export const read = {
  /** Answers data and stat. */
  get: (path: string): Read<Value> => ({
    operation: 'getData',
    path,
    request: { path, watch: false },
    answerOf(reply) {
      const { data, stat } = reply as Value
      // A copy: what was read is a view of the whole message, and would keep it alive.
      return { data: data && new Uint8Array(data), stat }
    },
  }),

  /** Answers the names of the children, in no order. */
  getChildren: (path: string): Read<readonly string[]> => ({
    operation: 'getChildren',
    path,
    request: { path, watch: false },
    answerOf: (reply) => (reply as { children: readonly string[] }).children,
  }),
}

/** Throws MalformedFrame where a read has no answer. */
export function readEach<S extends readonly Read<unknown>[]>(
  reads: S,
  body: Reader,
): ReadAnswers<S> {
  const results = readMultiResponse(body)
  return reads.map((one, at) => {
    const result = results[at]
    if (result === undefined)
      throw new MalformedFrame(`a multiRead’s ${one.operation} has no answer`)
    if ('reply' in result) {
      if (result.operation === one.operation) return one.answerOf(result.reply)
      throw new MalformedFrame(`a multiRead’s ${one.operation} answered as ${result.operation}`)
    }
    const name = refusalOf(result.err)
    const detail = name === undefined ? `error ${result.err}` : ''
    return new ZooKeeperError(name ?? 'Unknown', one.operation, one.path, detail)
  }) as ReadAnswers<S>
}
