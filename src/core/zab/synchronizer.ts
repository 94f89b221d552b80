/** The leader's side of phase 2: gives each learner what it lacks, and NEWLEADER. */
import type { Epoch, Zxid } from '../shared/units.ts'
import type { Turn } from '../turn.ts'
import type { Ground } from './ground.ts'
import type { Journal } from './journal.ts'
import { type LearnerLink, type SnapshotSource, SnapshotStream } from './learner-link.ts'
import { showPoint } from './show.ts'
import { chooseRemedy } from './synchronization.ts'

export class Synchronizer {
  readonly #epoch: Epoch
  readonly #journal: Journal
  readonly #snapshots: SnapshotSource

  constructor({ journal, snapshots }: Ground, epoch: Epoch) {
    this.#epoch = epoch
    this.#journal = journal
    this.#snapshots = snapshots
  }

  /** Begins with a learner that promised and ends at `lastZxid`. */
  begin(nowMs: number, learner: LearnerLink, lastZxid: Zxid, turn: Turn): void {
    const { history } = this.#journal
    const through = this.#through(learner)
    const remedy = chooseRemedy(history, lastZxid, through)
    const from = `${learner.peer} is at ${showPoint(lastZxid)}`
    if (remedy.type === 'snap') {
      turn.log.push(`${from}: SNAP, we keep ${showPoint(history.base)}..${showPoint(history.last)}`)
      this.beginSnap(nowMs, learner, turn)
    } else if (remedy.type === 'trunc') {
      turn.log.push(`${from}: TRUNC to ${showPoint(remedy.to)}`)
      learner.send({ type: 'trunc', to: remedy.to }, turn)
      this.#offer(nowMs, learner, remedy.to, turn)
    } else {
      turn.log.push(`${from}: DIFF to ${showPoint(through)}`)
      learner.send({ type: 'diff', to: through }, turn)
      this.#offer(nowMs, learner, remedy.after, turn)
    }
  }

  beginSnap(nowMs: number, learner: LearnerLink, turn: Turn): void {
    const stream = new SnapshotStream(this.#snapshots.open())
    learner.enter({ type: 'streaming', stream }, nowMs)
    learner.send({ type: 'snap', zxid: stream.zxid }, turn)
    learner.send(stream.chunk(), turn)
  }

  /** The learner has a chunk: sends it the next, or what follows the snapshot. */
  stream(nowMs: number, learner: LearnerLink, turn: Turn): void {
    const { stream } = learner.at('streaming')
    if (!stream.ended) return learner.send(stream.chunk(), turn)
    stream.close()
    this.#offer(nowMs, learner, stream.zxid, turn)
  }

  /** The rest of the history, and NEWLEADER: from here on the learner gets every proposal. */
  #offer(nowMs: number, learner: LearnerLink, after: Zxid, turn: Turn): void {
    const through = this.#through(learner)
    const configuration = this.#journal.membership.active
    for (const batch of this.#journal.history.batches(after, through)) {
      learner.send({ type: 'proposal', batch }, turn)
    }
    learner.send({ type: 'newLeader', epoch: this.#epoch, configuration }, turn)
    learner.enter({ type: 'offered', through }, nowMs)
  }

  /** How far a learner may know the history: an observer is given nothing that is not committed. */
  #through(learner: LearnerLink): Zxid {
    return learner.follows ? this.#journal.history.last : this.#journal.committed
  }
}
