/** A number that many clients add to. */
import type { Client } from '../client/index.ts'
import { isRefusal, isUnknown, onGround, persistently, textOf } from './patience.ts'

interface Count {
  readonly value: number
  /** Of who wrote it. */
  readonly mark: string
  readonly version: number
}

/** Every `add` counts once. The node holds the number and a mark of its last writer. */
export class Counter {
  readonly #client: Client
  readonly #path: string

  constructor(client: Client, path: string) {
    this.#client = client
    this.#path = path
  }

  /** As this client's server has it: after `client.sync` no older than that. 0 where nobody has counted. */
  async value(): Promise<number> {
    return (await this.#read())?.value ?? 0
  }

  /**
   * Adds and answers the new value. ConnectionLoss or RequestTimeout only where the reply was lost and others have counted since, so
   * that nobody can know whether this one did.
   */
  async add(by = 1): Promise<number> {
    for (;;) {
      const before = (await this.#read()) ?? (await this.#begin())
      const value = before.value + by
      if (!Number.isSafeInteger(value))
        throw new RangeError(`${this.#path} cannot count to ${value}`)
      const mark = crypto.randomUUID()
      try {
        await this.#client.set(this.#path, `${value} ${mark}`, { version: before.version })
        return value
      } catch (error) {
        if (isUnknown(error)) {
          if (await this.#isWritten(mark, before, error)) return value
        } else if (!isRefusal(error, 'BadVersion', 'NoNode')) throw error
      }
    }
  }

  async #isWritten(mark: string, before: Count, lost: Error): Promise<boolean> {
    await persistently(() => this.#client.sync(this.#path))
    const now = await this.#read()
    if (now?.mark === mark) return true
    if (now === undefined || now.version > before.version + 1) throw lost
    return false
  }

  async #read(): Promise<Count | undefined> {
    try {
      const { data, stat } = await persistently(() => this.#client.get(this.#path))
      const [digits = '', mark = ''] = textOf(data).split(' ')
      const value = Number(digits)
      if (!Number.isSafeInteger(value)) throw new RangeError(`${this.#path} holds no number`)
      return { value, mark, version: stat.version }
    } catch (error) {
      if (isRefusal(error, 'NoNode')) return undefined
      throw error
    }
  }

  async #begin(): Promise<Count> {
    const client = this.#client
    const parent = this.#path.slice(0, this.#path.lastIndexOf('/')) || '/'
    try {
      await persistently(() =>
        onGround(client, parent, () => client.create(this.#path, { data: '0' })),
      )
    } catch (error) {
      if (!isRefusal(error, 'NodeExists')) throw error
    }
    return (await this.#read()) ?? this.#begin()
  }
}
