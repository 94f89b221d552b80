/** The trunks of one member, and which of them a client goes by: the one of the actor that has its session, or any with room. */
import { prefixOf } from '../core/wire/trunk.ts'
import type { Runtime } from './runtime.ts'
import type { TcpClient } from './tcp-client.ts'
import { Trunk } from './trunk.ts'

export class Trunks {
  readonly #member: number
  readonly #runtime: Runtime
  readonly #trunks = new Set<Trunk>()

  constructor(member: number, runtime: Runtime) {
    this.#member = member
    this.#runtime = runtime
  }

  take(client: TcpClient): void {
    const { session } = client
    const suits = (trunk: Trunk): boolean =>
      session === 0n ? trunk.hasRoom : trunk.prefix === prefixOf(session)
    const found = [...this.#trunks].find(suits) ?? this.#open(session)
    found.take(client)
  }

  #open(session: bigint): Trunk {
    const trunk: Trunk = new Trunk(this.#runtime, this.#member, session, {
      full: (client) => this.take(client),
      lost: () => this.#trunks.delete(trunk),
    })
    this.#trunks.add(trunk)
    return trunk
  }
}
