/**
 * The bodies of multi: MultiHeader and record by turns, closed by the header (−1, done, −1).
 */
import { type Codec, MalformedFrame, type Reader, type Writer } from '../jute/codec.ts'
import { ErrorResponse, MultiHeader } from '../jute/records.ts'
import { type Operation, opcodes, operationOf } from './opcodes.ts'

/** One request inside a multi. */
export interface MultiOperation {
  readonly operation: Operation
  readonly request: unknown
}

/** One result inside a multi's reply: a reply of its operation, or an error code. */
export type MultiResult =
  | { readonly err: number }
  | { readonly operation: Operation; readonly reply: unknown }

const end = { type: -1, done: true, err: -1 } as const

/** Throws MalformedFrame for bytes that are no multi, an unknown operation among them. */
export function readMultiRequest(reader: Reader): MultiOperation[] {
  const operations: MultiOperation[] = []
  for (;;) {
    const header = MultiHeader.read(reader)
    if (header.done) return operations
    const operation = operationOf(header.type)
    if (operation === undefined) throw new MalformedFrame(`operation ${header.type} in a multi`)
    const codec = opcodes[operation].request as Codec<unknown>
    operations.push({ operation, request: codec.read(reader) })
  }
}

export function writeMultiRequest(writer: Writer, operations: readonly MultiOperation[]): void {
  for (const { operation, request } of operations) {
    MultiHeader.write(writer, { type: opcodes[operation].code, done: false, err: -1 })
    const codec = opcodes[operation].request as Codec<unknown>
    codec.write(writer, request)
  }
  MultiHeader.write(writer, end)
}

export function writeMultiResponse(writer: Writer, results: readonly MultiResult[]): void {
  for (const result of results) {
    if ('err' in result) {
      MultiHeader.write(writer, { type: -1, done: false, err: result.err })
      ErrorResponse.write(writer, { err: result.err })
    } else {
      MultiHeader.write(writer, { type: opcodes[result.operation].code, done: false, err: 0 })
      const codec = opcodes[result.operation].reply as Codec<unknown>
      codec.write(writer, result.reply)
    }
  }
  MultiHeader.write(writer, end)
}

/** Throws MalformedFrame. */
export function readMultiResponse(reader: Reader): MultiResult[] {
  const results: MultiResult[] = []
  for (;;) {
    const header = MultiHeader.read(reader)
    if (header.done) return results
    if (header.type === -1) {
      results.push({ err: ErrorResponse.read(reader).err })
      continue
    }
    const operation = operationOf(header.type)
    if (operation === undefined) throw new MalformedFrame(`result ${header.type} in a multi`)
    const codec = opcodes[operation].reply as Codec<unknown>
    results.push({ operation, reply: codec.read(reader) })
  }
}
