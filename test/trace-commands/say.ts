/** `say 3→1 commit zxid=1:9`: a packet that the member itself would not say arrives on the link between the two. */
import type { Packet } from '../../src/core/zab/messages.ts'
import { batchOf } from '../sim/disk.ts'
import { type Command, pairOf, zxidAt, zxidsOf } from './bench.ts'

export const say: Command = ({ world }, { words, options }) => {
  const [from, to] = pairOf(words[0])
  const fields = [...options].map(([name, value]) => {
    if (name === 'batch') return ['batch', batchOfZxids(value)]
    return [name, value.includes(':') ? zxidAt(value) : Number(value)]
  })
  const packet = { type: words[1], ...Object.fromEntries(fields) } as Packet
  const end = [...(world.node(to)?.links.values() ?? [])].find(
    (one) => one.other?.node.sid === from,
  )
  if (!end) throw new Error(`no link ${words[0]}`)
  world.input(to, { type: 'packets', link: end.link, packets: [packet] })
}

function batchOfZxids(text: string): ReturnType<typeof batchOf> {
  const zxids = zxidsOf(text)
  const [first = zxidAt('0:0')] = zxids
  return batchOf(first, zxids.map(String))
}
