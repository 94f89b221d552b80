/** `status`: what every member is and has. */
import { showPoint } from '../../src/core/zab/show.ts'
import type { Command } from './bench.ts'

export const status: Command = (bench) => {
  for (const sid of bench.world.sids) {
    const node = bench.world.node(sid)
    if (!node) {
      bench.print(`${sid} down`)
      continue
    }
    const { member, applied } = node
    const place = [member.phase.type, member.role === 'observing' ? 'as observer' : '']
    const whom = member.leader === undefined ? `round=${member.round}` : `leader=${member.leader}`
    bench.print(
      [sid, ...place, whom, `epoch=${member.epoch}`, `logged=${showPoint(member.lastLogged)}`]
        .concat(`committed=${showPoint(member.committed)}`, `applied=${showPoint(applied)}`)
        .filter((word) => word !== '')
        .join(' '),
    )
  }
}
