/** A session actor's mind whose member babbles: an input is what the member says. */
import { type Codec, MalformedFrame, Reader, Writer } from '../../src/core/jute/codec.ts'
import { downRecords, verdicts, writeDown } from '../../src/core/session/edge-messages.ts'
import { Host } from '../../src/core/session/host/host.ts'
import type { Random } from '../../src/core/shared/random.ts'
import { asSid, asZxid } from '../../src/core/shared/units.ts'
import { writeReplyHeader, writeWatchEvent } from '../../src/core/wire/packets.ts'
import { mutate } from './mutation.ts'
import { hello } from './requests.ts'
import { sampleOf } from './sampler.ts'
import type { Life, Target } from './target.ts'

const types = Object.keys(downRecords) as (keyof typeof downRecords)[]
const member = asSid(1)
const clients = 3

export const hostTarget: Target = {
  name: 'session actor',
  inputsPerLife: 500,
  share: 5,
  draw: (random) => mutate(downMessage(random), downMessage(random), random),
  begin: () => new HostLife(),
  kindOf: (input) => types[input[0] ?? 0] ?? 'no message',
}

function downMessage(random: Random): Uint8Array {
  const writer = new Writer()
  for (let count = 1 + (random.next() % 3); count > 0; count--) {
    const type = types[random.next() % types.length] as keyof typeof downRecords
    const codec = downRecords[type] as Codec<object>
    const message = codec.read(new Reader(sampleOf(codec, random)))
    const slot = 1 + (random.next() % clients)
    const frames = writeReplyHeader(random.between(-2, 3), asZxid(5), 0)
    const frame = writeWatchEvent(7, 3, '/a')
    writeDown(writer, { ...message, ...own(type, { slot, frames, frame }), type } as never)
  }
  return writer.take()
}

/** Only what the kind of message has, so that it makes sense as often as not. */
function own(
  type: keyof typeof downRecords,
  { slot, frames, frame }: { slot: number; frames: Uint8Array; frame: Uint8Array },
): object {
  if (type === 'frames') return { slot, frames }
  if (type === 'event') return { slots: [slot], frame }
  if (type === 'attached') return { slot, verdict: verdicts.alive }
  return type === 'proved' || type === 'hangup' || type === 'ended' ? { slot } : {}
}

class HostLife implements Life {
  readonly #host: Host
  #nowMs = 100_000
  #lastConnection = 0

  constructor() {
    const config = {
      home: member,
      number: 1,
      members: [member],
      tickTimeMs: 1000,
      sessionsMax: 9,
      outstandingLimit: 1000,
    }
    this.#host = new Host(
      { ...config, minSessionTimeoutMs: 2000, maxSessionTimeoutMs: 20_000 },
      {
        write: () => undefined,
        hangup: () => undefined,
        up: () => undefined,
        passwordOf: () => new Uint8Array(16),
        pingedMs: () => this.#nowMs,
      },
      this.#nowMs,
    )
  }

  take(input: Uint8Array): void {
    this.#nowMs += 10
    if (this.#host.hasRoom) this.#connect()
    try {
      this.#host.receiveDown(this.#nowMs, member, input)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      this.#host.memberLost(this.#nowMs, member)
    }
    if (this.#host.retryAtMs <= this.#nowMs) this.#host.wake(this.#nowMs)
  }

  end(): void {
    this.#host.survivors()
    this.#host.wake(this.#nowMs + 100_000)
  }

  #connect(): void {
    this.#lastConnection += 1
    const id = this.#lastConnection
    const survives = id % 2 === 0
    this.#host.connected(this.#nowMs, {
      id,
      pinned: undefined,
      survives,
      address: '',
      identities: [],
    })
    this.#host.receive(this.#nowMs, id, [hello()])
  }
}
