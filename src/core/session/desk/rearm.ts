/** SetWatches: events for what changed since the client last looked, watches for what did not (DataTree.setWatches). */
import type { ReaderWatches } from '../../request/read.ts'
import type { Tree } from '../../tree/tree.ts'
import { eventTypes, type EventType } from '../../wire/opcodes.ts'

/** What a client, or the actor of a client, says it watches, and what it has seen. */
export interface AskedWatches {
  readonly relativeZxid: number
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
  /** Armed again without a word: what was missed of them is lost, as in ZooKeeper. */
  readonly persistentWatches?: readonly string[]
  readonly persistentRecursiveWatches?: readonly string[]
}

export function rearm(
  tree: Tree,
  watches: ReaderWatches,
  asked: AskedWatches,
  tell: (type: EventType, path: string) => void,
): void {
  const since = asked.relativeZxid
  for (const path of asked.dataWatches) {
    const node = tree.get(path)
    if (node === undefined) tell(eventTypes.deleted, path)
    else if (node.mzxid > since) tell(eventTypes.dataChanged, path)
    else watches.watchData(path)
  }
  for (const path of asked.existWatches) {
    if (tree.get(path) !== undefined) tell(eventTypes.created, path)
    else watches.watchData(path)
  }
  for (const path of asked.childWatches) {
    const node = tree.get(path)
    if (node === undefined) tell(eventTypes.deleted, path)
    else if (node.pzxid > since) tell(eventTypes.childrenChanged, path)
    else watches.watchChildren(path)
  }
  for (const path of asked.persistentWatches ?? []) watches.watchAlways(path)
  for (const path of asked.persistentRecursiveWatches ?? []) watches.watchSubtree(path)
}
