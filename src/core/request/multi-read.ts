/** Many reads of one state in one request: each is answered by itself, and leaves no watch. */
import { type Codec, MalformedFrame, type Reader } from '../jute/codec.ts'
import { limits } from '../shared/limits.ts'
import { type MultiResult, readMultiRequest, writeMultiResponse } from '../wire/multi.ts'
import { errorCodes } from '../wire/refusals.ts'
import { readChildren, readData, type ReadContext } from './read.ts'

/** Throws MalformedFrame where a request is none of the two reads that are allowed, and for more than a reply may hold. */
export function readMany(body: Reader, context: ReadContext): MultiResult[] {
  let bytes = 0
  return readMultiRequest(body).map(({ operation, request }): MultiResult => {
    if (operation !== 'getData' && operation !== 'getChildren') {
      throw new MalformedFrame(`${operation} in a multiRead`)
    }
    const { path } = request as { readonly path: string }
    const read = operation === 'getData' ? readData : readChildren
    const reply = read({ path, watch: false }, context)
    if (typeof reply === 'string') return { err: errorCodes[reply] }
    bytes += bytesOf(reply.value)
    if (bytes > limits.replyBytesMax) throw new MalformedFrame('a multiRead of too much')
    return { operation, reply: reply.value }
  })
}

/** At least what it takes on the wire but for a few bytes. */
function bytesOf(
  value: { readonly data: Uint8Array | null } | { readonly children: readonly string[] },
): number {
  if ('data' in value) return value.data?.length ?? 0
  return value.children.reduce((sum, name) => sum + 4 + name.length, 0)
}

export const MultiResponse: Codec<readonly MultiResult[]> = {
  read: () => {
    throw new MalformedFrame('a member never reads the response to a multi')
  },
  write: writeMultiResponse,
}
