/**
 * A local session is known to its actor and its member only: it begins and ends without a txn (localSessionsEnabled). One
 * that creates an ephemeral must be global before: the ensemble has to know whose node it is.
 */
import { MalformedFrame, Reader } from '../../jute/codec.ts'
import { readMultiRequest } from '../../wire/multi.ts'
import { createFlags, type Operation, opcodes } from '../../wire/opcodes.ts'

/** Does the request create an ephemeral node? Bytes that are no request do not. */
export function createsEphemeral(operation: Operation, frame: Uint8Array): boolean {
  const body = new Reader(frame, 8)
  try {
    if (operation === 'multi') return readMultiRequest(body).some(isEphemeralCreation)
    if (operation !== 'create' && operation !== 'create2') return false
    return isEphemeralCreation({ operation, request: opcodes[operation].request.read(body) })
  } catch (fault) {
    if (!(fault instanceof MalformedFrame)) throw fault
    return false
  }
}

interface Creation {
  readonly operation: Operation
  readonly request: unknown
}

function isEphemeralCreation({ operation, request }: Creation): boolean {
  if (operation !== 'create' && operation !== 'create2') return false
  const { flags } = request as { readonly flags: number }
  return flags === createFlags.ephemeral || flags === createFlags.ephemeralSequential
}
