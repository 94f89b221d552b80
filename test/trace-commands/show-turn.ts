/** One turn in words, in the order it is performed. */
import { counterOf, type Sid, type Zxid } from '../../src/core/shared/units.ts'
import type { Persist, Turn } from '../../src/core/turn.ts'
import { Configuration } from '../../src/core/zab/configuration.ts'
import type { LogBatch } from '../../src/core/zab/log-batch.ts'
import type { Notification, Packet } from '../../src/core/zab/messages.ts'
import { showMembers, showPoint } from '../../src/core/zab/show.ts'

export function turnLines(
  sid: Sid,
  turn: Turn,
  peerOf: (link: number) => Sid,
  { showsPings, showsNotes }: { readonly showsPings: boolean; readonly showsNotes: boolean },
): string[] {
  const sent = turn.send
    .filter(({ packet }) => showsPings || (packet.type !== 'ping' && packet.type !== 'pong'))
    .map(({ link, packet }) => ({ to: peerOf(link), what: showPacket(packet) }))
  const notes = turn.notes.map(({ to, note }) => ({ to, what: showNote(note) }))
  return [
    ...turn.log.map((line) => `${sid}: ${line}`),
    ...(showsNotes ? addressed(sid, notes) : []),
    ...addressed(sid, sent),
    ...turn.persist.map(showPersist).flatMap((what) => (what ? [`${sid} writes ${what}`] : [])),
    ...(turn.installed === undefined ? [] : [`${sid} installs ${showPoint(turn.installed)}`]),
    ...(turn.committed === undefined ? [] : [`${sid} commits ${showPoint(turn.committed)}`]),
    ...turn.received.map(({ peer, packet }) => `${sid} hears of ${peer} ${showPacket(packet)}`),
    ...(turn.connect === undefined ? [] : [`${sid} joins ${turn.connect}`]),
    ...turn.disconnect.map((link) => `${sid} leaves ${peerOf(link)}`),
  ]
}

/** The same word to several members is one line. */
function addressed(from: Sid, sent: readonly { to: Sid; what: string }[]): string[] {
  const said = new Map<string, Sid[]>()
  for (const { to, what } of sent) said.set(what, [...(said.get(what) ?? []), to])
  return [...said].map(([what, to]) => `${from}→${to.join()} ${what}`)
}

export function showNote({ state, vote, round, asks, configuration }: Notification): string {
  const whom = vote.leader === 0 ? 'nobody' : `${vote.leader} ${showPoint(vote.zxid)}`
  const words = [`${state} for ${whom}`, `epoch=${vote.epoch}`, `round=${round}`]
  return [...words, ...(asks ? ['asks'] : []), ...made(configuration)].join(' ')
}

/** The members that a reconfiguration made; those of the first configuration go without saying. */
const made = (configuration: Configuration | undefined): string[] =>
  configuration && counterOf(configuration.version) > 0
    ? [`configuration=${showPoint(configuration.version)}`]
    : []

const zxidNames = new Set(['zxid', 'lastZxid', 'to', 'committed'])

export function showPacket({ type, ...fields }: Packet): string {
  const shown = Object.entries(fields).map(([name, value]) => {
    if (name === 'batch') return showBatch(value as LogBatch)
    if (name === 'version')
      return counterOf(value as Zxid) > 0 ? `version=${showPoint(value as Zxid)}` : ''
    if (value instanceof Configuration) return made(value).join('')
    if (value instanceof Uint8Array) return `bytes=${value.length}`
    return `${name}=${zxidNames.has(name) ? showPoint(value as Zxid) : String(value)}`
  })
  return [type, ...shown].filter((word) => word !== '').join(' ')
}

export function showBatch({ first, last, configuration }: LogBatch): string {
  const zxids = first === last ? showPoint(first) : `${showPoint(first)}..${showPoint(last)}`
  return configuration ? `${zxids} (${showMembers(configuration)})` : zxids
}

function showPersist(persist: Persist): string {
  const { acceptedEpoch, stageBegin, stageChunk, install, truncate, append, currentEpoch } = persist
  const { configuration } = persist
  const shown = [
    acceptedEpoch === undefined ? '' : `acceptedEpoch=${acceptedEpoch}`,
    stageBegin === undefined ? '' : `stage ${showPoint(stageBegin)}`,
    stageChunk === undefined ? '' : `chunk of ${stageChunk.length}`,
    install === undefined ? '' : `install ${showPoint(install)}`,
    truncate === undefined ? '' : `truncate to ${showPoint(truncate)}`,
    append === undefined ? '' : `log ${append.map(showBatch).join(' ')}`,
    currentEpoch === undefined ? '' : `currentEpoch=${currentEpoch}`,
    ...made(configuration),
  ]
  return shown.filter((words) => words !== '').join(', ')
}
