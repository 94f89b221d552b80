/** What the commands of one transcript share: the world, and the lines it has printed since the last command. */
import { asEpoch, asSid, asZxid, type Sid, type Zxid, zxidOf } from '../../src/core/shared/units.ts'
import type { Turn } from '../../src/core/turn.ts'
import { CalmNetwork } from '../sim/network.ts'
import { World } from '../sim/world.ts'
import { turnLines } from './show-turn.ts'

export interface Arguments {
  /** Words that are not `key=value`. */
  readonly words: readonly string[]
  readonly options: ReadonlyMap<string, string>
}

export type Command = (bench: Bench, args: Arguments) => void

export class Bench {
  readonly network = new CalmNetwork()
  showsPings = false
  showsNotes = true
  #world: World | undefined
  #lines: string[] = []

  get world(): World {
    if (!this.#world) throw new Error('a transcript begins with `ensemble`')
    return this.#world
  }

  set world(world: World) {
    this.#world = world
    world.onTurn = (sid, turn) => this.#show(sid, turn)
  }

  print(line: string): void {
    this.#lines.push(line)
  }

  take(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  #show(sid: Sid, turn: Turn): void {
    const node = this.world.nodes.get(sid)
    const peerOf = (link: number): Sid => node?.links.get(link)?.other?.node.sid ?? asSid(0)
    for (const line of turnLines(sid, turn, peerOf, this)) {
      this.print(`@${this.world.clock.nowMs} ${line}`)
    }
  }
}

export const sidsOf = (words: readonly string[]): Sid[] => words.map((word) => asSid(Number(word)))

/** `1→2` */
export function pairOf(word: string | undefined): [Sid, Sid] {
  const [from, to] = sidsOf((word ?? '').split('→'))
  if (!from || !to) throw new Error(`not a pair: ${word}`)
  return [from, to]
}

/** `1:7` */
export function zxidAt(text: string): Zxid {
  const [epoch, counter] = text.split(':').map(Number)
  return epoch === undefined || counter === undefined ? asZxid(0) : zxidOf(asEpoch(epoch), counter)
}

/** `1:1-1:7,2:1` */
export function zxidsOf(text: string): Zxid[] {
  return text.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-')
    const from = zxidAt(first ?? '')
    return Array.from({ length: zxidAt(last ?? '') - from + 1 }, (_, index) => asZxid(from + index))
  })
}
