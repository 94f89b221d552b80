import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Channel } from '../../src/actors/channel.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { Random } from '../../src/core/shared/random.ts'

const deadlineMs = 1000

/** One end of a channel whose calls wait until the test lets them arrive. */
class End {
  readonly channel: Channel
  readonly received: string[] = []
  readonly lost: string[] = []
  readonly calls: {
    readonly message: Uint8Array
    answer: (bytes: Uint8Array) => void
    fail: (why: string) => void
  }[] = []
  owes = false
  onReceive: (text: string) => void = () => {}

  constructor() {
    this.channel = new Channel(
      {
        call: (message) =>
          new Promise((answer, reject) => {
            this.calls.push({ message, answer, fail: (why) => reject(new Error(why)) })
          }),
        receive: (payload) => {
          const text = new TextDecoder().decode(payload)
          this.received.push(text)
          this.onReceive(text)
        },
        owes: () => this.owes,
        lost: (why) => void this.lost.push(why),
      },
      deadlineMs,
    )
  }

  say(...texts: string[]): void {
    for (const text of texts) this.channel.send(new TextEncoder().encode(text))
    this.channel.flush()
  }
}

/** Lets the call at `at` arrive at the other end, and its answer come back. */
async function deliver(from: End, to: End, at = 0): Promise<void> {
  const [call] = from.calls.splice(at, 1)
  if (call === undefined) throw new Error('no such call')
  to.channel.answer(call.message).then(call.answer, (fault: Error) => call.fail(fault.message))
  await settled()
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

const numbered = (number: number, text = ''): Uint8Array => {
  const bytes = new Uint8Array(4 + text.length)
  new DataView(bytes.buffer).setUint32(0, number)
  bytes.set(new TextEncoder().encode(text), 4)
  return bytes
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('[C1] messages arrive in the order they were sent', () => {
  test('what waits when a call leaves goes with it', async () => {
    const [a, b] = [new End(), new End()]
    a.say('1')
    a.say('2')
    a.say('3', '4')
    expect(a.calls.length).toBe(limits.callsInFlightMax)
    await deliver(a, b)
    await deliver(a, b)
    await deliver(a, b)
    expect(b.received.join('|')).toBe('1|2|34')
    expect(a.channel.isQuiet).toBe(true)
  })

  test('though calls overtake each other', async () => {
    const [a, b] = [new End(), new End()]
    a.say('1')
    a.say('2')
    await deliver(a, b, 1)
    expect(b.received).toEqual([])
    await deliver(a, b)
    expect(b.received).toEqual(['1', '2'])
  })

  test('though answers overtake each other', async () => {
    const a = new End()
    a.say('x')
    a.say('y')
    const [first, second] = a.calls
    second?.answer(numbered(1, 'two'))
    await settled()
    expect(a.received).toEqual([])
    first?.answer(numbered(0, 'one'))
    await settled()
    expect(a.received).toEqual(['one', 'two'])
  })

  test('with both ends calling at once', async () => {
    const [a, b] = [new End(), new End()]
    a.say('a1')
    b.say('b1')
    a.say('a2')
    b.say('b2')
    for (let round = 0; round < 2; round++) {
      await deliver(a, b)
      await deliver(b, a)
    }
    expect([a.received, b.received]).toEqual([
      ['b1', 'b2'],
      ['a1', 'a2'],
    ])
    expect([a.lost, b.lost]).toEqual([[], []])
  })

  test('numbers go on where they stood before hibernation', async () => {
    const b = new End()
    await b.channel.answer(numbered(0, 'x'))
    const { nextIn, nextOut } = b.channel.position
    expect({ nextIn, nextOut }).toEqual({ nextIn: 1, nextOut: 1 })
  })
})

describe('[C2] an answer is held while its end owes something', () => {
  test('and carries what it had to say', async () => {
    const [a, b] = [new End(), new End()]
    b.owes = true
    a.say('ask')
    await deliver(a, b)
    expect(a.channel.isQuiet).toBe(false)
    b.owes = false
    b.say('reply')
    await settled()
    expect(a.received).toEqual(['reply'])
    expect(b.calls).toEqual([])
    expect(a.channel.isQuiet).toBe(true)
  })

  test('and leaves when a newer call comes, so the window never blocks', async () => {
    const [a, b] = [new End(), new End()]
    b.owes = true
    a.say('1')
    await deliver(a, b)
    a.say('2')
    await deliver(a, b)
    a.say('3')
    expect(a.calls.length).toBe(1)
    await deliver(a, b)
    expect(b.received).toEqual(['1', '2', '3'])
  })

  test('and leaves empty when nothing is owed any more', async () => {
    const [a, b] = [new End(), new End()]
    b.owes = true
    a.say('1')
    await deliver(a, b)
    b.owes = false
    b.channel.flush()
    await settled()
    expect(a.channel.isQuiet).toBe(true)
  })
})

describe('[C3] a channel ends, once', () => {
  test('when a call fails', async () => {
    const a = new End()
    a.say('1')
    a.say('2')
    for (const { fail } of a.calls) fail('gone')
    await settled()
    expect(a.lost).toEqual(['gone'])
    a.say('3')
    expect(a.calls.length).toBe(2)
    await expect(a.channel.answer(numbered(0))).rejects.toThrow('gone')
  })

  test('when no answer comes within the deadline', async () => {
    const a = new End()
    a.say('1')
    await vi.advanceTimersByTimeAsync(deadlineMs - 1)
    expect(a.lost).toEqual([])
    await vi.advanceTimersByTimeAsync(2)
    expect(a.lost).toEqual([`no answer within ${deadlineMs} ms`])
    a.calls[0]?.answer(numbered(0, 'too late'))
    await settled()
    expect(a.received).toEqual([])
  })

  test('not while answers come, however late after the first call', async () => {
    const a = new End()
    for (let number = 0; number < 5; number++) {
      a.say(String(number))
      await vi.advanceTimersByTimeAsync(deadlineMs - 300)
      a.calls.shift()?.answer(numbered(number))
      await settled()
    }
    await vi.advanceTimersByTimeAsync(3 * deadlineMs)
    expect(a.lost).toEqual([])
  })

  test.each([
    ['a message without its number', new Uint8Array(3)],
    ['a message of long ago', numbered(0xffff_fff0)],
    ['a gap that no window allows', numbered(limits.earlyMessagesMax + 1)],
  ])('at %s', async (_, message) => {
    const a = new End()
    await expect(a.channel.answer(message)).rejects.toThrow()
    expect(a.lost.length).toBe(1)
  })

  test('at a message that was taken before', async () => {
    const a = new End()
    await a.channel.answer(numbered(0, 'once'))
    await expect(a.channel.answer(numbered(0, 'once'))).rejects.toThrow()
    expect(a.received).toEqual(['once'])
  })

  test('when what was said could not be taken', async () => {
    const a = new End()
    a.onReceive = () => {
      throw new Error('no sense')
    }
    await expect(a.channel.answer(numbered(0, 'nonsense'))).rejects.toThrow('no sense')
    expect(a.lost).toEqual(['no sense'])
  })

  test('by its own side without a word, and the answer it held is refused', async () => {
    const [a, b] = [new End(), new End()]
    b.owes = true
    a.say('1')
    await deliver(a, b)
    b.channel.close('enough')
    await settled()
    expect(b.lost).toEqual([])
    expect(a.lost).toEqual(['enough'])
  })
})

test('[C3] whatever envelopes come, what is taken stands in the order of its numbers, and the end comes once', async () => {
  let [taken, ended] = [0, 0]
  for (let seed = 1; seed <= 400; seed++) {
    const random = new Random(seed)
    const end = new End()
    const said = new Map<number, Set<string>>()
    const say = (bytes: Uint8Array): Promise<unknown> => {
      if (bytes.length >= 4) {
        const number = new DataView(bytes.buffer).getUint32(0)
        said.set(number, (said.get(number) ?? new Set()).add(textIn(bytes)))
      }
      return end.channel.answer(bytes).catch(() => undefined)
    }
    const answers: Promise<unknown>[] = []
    for (let number = 0; number < 30; number++) {
      for (const bytes of damaged(numbered(number, `m${number}`), random)) answers.push(say(bytes))
    }
    // Nothing is owed, so every call is answered or refused: none of these hangs.
    await Promise.all(answers)
    expect(end.received.every((text, at) => said.get(at)?.has(text))).toBe(true)
    expect(end.lost.length).toBeLessThanOrEqual(1)
    taken += end.received.length
    ended += end.lost.length
  }
  expect(taken).toBeGreaterThan(1000)
  expect(ended).toBeGreaterThan(100)
})

const textIn = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(4))

/** Mostly as it is; else lost, repeated, cut, or under another number. */
function damaged(bytes: Uint8Array, random: Random): Uint8Array[] {
  switch (random.between(0, 40)) {
    case 0:
      return []
    case 1:
      return [bytes, bytes]
    case 2:
      // A number alone is a message too, of nothing: nobody would see when it was taken.
      return [bytes.slice(0, random.between(0, 1) * 2 + 3)]
    case 3: {
      const other = bytes.slice()
      const shift = random.between(0, 31)
      const view = new DataView(other.buffer)
      view.setUint32(0, (view.getUint32(0) ^ (1 << shift)) >>> 0)
      return [other]
    }
    default:
      return [bytes]
  }
}

test('[C4] a call carries no more than a link message may', async () => {
  const a = new End()
  const large = new Uint8Array(limits.linkMessageBytesMax - 10)
  for (let count = 0; count < 3; count++) a.channel.send(large)
  a.channel.flush()
  expect(a.calls.map(({ message }) => message.length)).toEqual([large.length + 4, large.length + 4])
})
