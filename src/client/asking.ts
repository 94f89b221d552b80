/** Asks the session for operations on the client's paths: under a chroot they are others to the server. */
import type { Codec, Decoded, Reader } from '../core/jute/codec.ts'
import { type MultiOperation, writeMultiRequest } from '../core/wire/multi.ts'
import { type Operation, opcodes } from '../core/wire/opcodes.ts'
import { ZooKeeperError } from './errors.ts'
import type { Session } from './session.ts'

export class Asking {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /**
   * Asks for one operation, about `path` where it is about one. `grant` makes the answer of a reply, `refuse` that of a
   * refusal, where it is one.
   */
  one<O extends Operation, T>(
    operation: O,
    path: string | undefined,
    request: Decoded<(typeof opcodes)[O]['request']>,
    grant: (reply: Decoded<(typeof opcodes)[O]['reply']>) => T,
    refuse?: (error: ZooKeeperError) => T,
  ): Promise<T> {
    const row = opcodes[operation]
    const codec = row.reply as Codec<Decoded<(typeof opcodes)[O]['reply']>>
    const { chroot } = this.#session
    if (path !== undefined && !chroot.holds(path)) return outside(operation, path)
    const sent =
      path === undefined || chroot.isWholeTree
        ? request
        : { ...(request as object), path: chroot.outward(path) }
    return this.#session.ask({
      operation,
      ...(path !== undefined && { path }),
      write: (into) => (row.request as Codec<unknown>).write(into, sent),
      grant: (body) => grant(codec.read(body)),
      ...(refuse && { refuse }),
    })
  }

  /** Asks for many operations in one request. */
  many<T>(
    operation: 'multi' | 'multiRead',
    asked: readonly (MultiOperation & { readonly path: string; readonly request: object })[],
    grant: (body: Reader) => T,
  ): Promise<T> {
    const { chroot } = this.#session
    const stray = asked.find(({ path }) => !chroot.holds(path))
    if (stray) return outside(stray.operation, stray.path)
    const sent = chroot.isWholeTree
      ? asked
      : asked.map(({ operation: one, path, request }) => ({
          operation: one,
          request: { ...request, path: chroot.outward(path) },
        }))
    return this.#session.ask({
      operation,
      write: (into) => writeMultiRequest(into, sent),
      grant,
    })
  }

  /** The client's own name of a path the server told. */
  readonly nameOf = (path: string): string => this.#session.chroot.inward(path) ?? path
}

const outside = (operation: Operation, path: string): Promise<never> =>
  Promise.reject(new ZooKeeperError('BadArguments', operation, path, 'a path begins with /'))
