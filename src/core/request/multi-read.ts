/** Many reads of one state in one request: each is answered by itself, and leaves no watch. */
import { type Codec, MalformedFrame, type Reader } from '../jute/codec.ts'
import { type MultiResult, readMultiRequest, writeMultiResponse } from '../wire/multi.ts'
import { errorCodes } from '../wire/refusals.ts'
import { readChildren, readData, type ReadContext } from './read.ts'

/** Throws MalformedFrame where a request is none of the two reads that are allowed. */
export function readMany(body: Reader, context: ReadContext): MultiResult[] {
  return readMultiRequest(body).map(({ operation, request }): MultiResult => {
    if (operation !== 'getData' && operation !== 'getChildren') {
      throw new MalformedFrame(`${operation} in a multiRead`)
    }
    const { path } = request as { readonly path: string }
    const read = operation === 'getData' ? readData : readChildren
    const reply = read({ path, watch: false }, context)
    return typeof reply === 'string'
      ? { err: errorCodes[reply] }
      : { operation, reply: reply.value }
  })
}

export const MultiResponse: Codec<readonly MultiResult[]> = {
  read: () => {
    throw new MalformedFrame('a member never reads the response to a multi')
  },
  write: writeMultiResponse,
}
