/**
 * Bugs planted to see whether the checkers are awake: each is an edit of a core file, made while a worker of the
 * simulator loads it (crew-worker.ts). An edit that no longer fits its file fails loudly.
 */
interface Edit {
  /** Below src/core. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Plant {
  readonly name: string
  readonly edits: readonly Edit[]
  /** Many seeds are needed: caught by `npm run sim -- --planted`, too slow for every test run. */
  readonly isRare?: true
  /** The consensus alone shows it sooner: ten times as many seeds are tried, which are ten times as fast. */
  readonly world?: 'zab'
}

const edit = (file: string, from: string, to: string): Edit => ({ file, from, to })

export const plants: readonly Plant[] = [
  {
    name: 'ack before the log is durable',
    edits: [
      edit(
        'zab/journal.ts',
        'if (this.#issued === this.#durable) turn.send',
        "if (packet.type === 'ack' || this.#issued === this.#durable) turn.send",
      ),
    ],
  },
  {
    name: 'commit without a quorum',
    edits: [
      edit(
        'zab/broadcast.ts',
        'const agreed = highestAgreed(active.quorum, acked)',
        'const agreed = this.#lastProposed',
      ),
    ],
  },
  {
    name: 'a leader’s own ack is enough',
    edits: [
      edit(
        'zab/broadcast.ts',
        'const agreed = highestAgreed(active.quorum, acked)',
        'const agreed = this.#ownAcked',
      ),
    ],
  },
  {
    name: 'a leader pledges what is not on its disk',
    edits: [
      edit(
        'zab/broadcast.ts',
        'const own = this.#ownAcked',
        'const own = this.#proposed.length > 0 ? this.#lastProposed : this.#ownAcked',
      ),
    ],
  },
  {
    name: 'a follower commits a pledge that is not on its disk',
    edits: [
      edit(
        'zab/learner.ts',
        'this.#acked < this.#pledged ? this.#acked : this.#pledged',
        'this.#pledged',
      ),
    ],
  },
  {
    name: 'a leader pledges to who is no quorum with it',
    edits: [
      edit(
        'zab/broadcast.ts',
        '|| !active.quorum.isQuorum([this.#config.sid, learner.peer])',
        '|| active.quorum.voters.length === 1',
      ),
    ],
  },
  {
    name: 'an epoch is promised anew after a restart',
    isRare: true,
    edits: [
      edit(
        'zab/journal.ts',
        'this.#acceptedEpoch = restored.acceptedEpoch',
        'this.#acceptedEpoch = restored.currentEpoch',
      ),
      edit(
        'zab/member.ts',
        'this.#highestEpoch = restored.acceptedEpoch',
        'this.#highestEpoch = restored.currentEpoch',
      ),
    ],
  },
  {
    name: 'TRUNC does not reach the disk',
    isRare: true,
    edits: [edit('zab/journal.ts', '...(truncate === undefined ? {} : { truncate }),', '')],
  },
  {
    name: 'DIFF to whoever has what its leader never had',
    edits: [
      edit(
        'zab/synchronization.ts',
        'if (learnerLast <= through && history.contains(learnerLast))',
        'if (learnerLast <= through && learnerLast >= history.base)',
      ),
    ],
  },
  {
    name: 'a lower epoch is not refused',
    world: 'zab',
    isRare: true,
    edits: [
      edit(
        'zab/discovery.ts',
        "return epoch === acceptedEpoch ? 'repeat' : 'refuse'",
        "return 'repeat'",
      ),
      // Two look at it: its leader goes when whoever joins has promised more.
      edit('zab/discovery.ts', 'if (acceptedEpoch > this.#epoch) {', 'if (acceptedEpoch < 0) {'),
      edit(
        'zab/journal.ts',
        "invariant(epoch === this.#acceptedEpoch, 'the epoch entered is the one promised')",
        '',
      ),
    ],
  },
  {
    name: 'a promise of a non-voter counts',
    isRare: true,
    edits: [
      edit('zab/quorum.ts', 'if (this.voters.includes(sid)) votes += 1', 'if (sid > 0) votes += 1'),
      edit('zab/discovery.ts', 'if (learner.follows) this.#informed', 'this.#informed'),
      edit(
        'zab/discovery.ts',
        'return learner.follows ? this.#count(learner.peer) : undefined',
        'return this.#count(learner.peer)',
      ),
    ],
  },
  {
    name: 'a deleted node keeps a row that was written early',
    isRare: true,
    edits: [
      edit(
        'tree/node-cache.ts',
        'if (hasRow) this.#goneRows.add(path)',
        'if (hasRow && !isNew) this.#goneRows.add(path)',
      ),
    ],
  },
  {
    name: 'a reconfiguration needs the new members alone',
    edits: [
      edit(
        'zab/broadcast.ts',
        'const agreed = highestAgreed(active.quorum, acked)',
        'const agreed = highestAgreed((pending ?? active).quorum, acked)',
      ),
    ],
  },
  {
    name: 'a reconfiguration needs the old members alone',
    edits: [
      edit(
        'zab/broadcast.ts',
        'if (!pending || agreed === undefined || agreed < pending.version) return agreed',
        'if (!pending || agreed !== 0) return agreed',
      ),
    ],
  },
  {
    name: 'acks of who has no vote count',
    isRare: true,
    edits: [
      edit(
        'zab/quorum.ts',
        'if (quorum.isQuorum(atLeast.map(([sid]) => sid))) return atLeast[count - 1]?.[1]',
        'if (count * 2 > quorum.voters.length) return atLeast[count - 1]?.[1]',
      ),
    ],
  },
  {
    name: 'the old members alone elect while a reconfiguration is pending',
    isRare: true,
    edits: [
      edit(
        'zab/membership.ts',
        'return this.#pending === undefined || this.#pending.quorum.isQuorum(sids)',
        'return true',
      ),
    ],
  },
  {
    name: 'leading before the own epoch is durable',
    isRare: true,
    edits: [
      edit(
        'zab/leader.ts',
        'if (this.#broadcast || !this.#hasEntered) return undefined',
        'if (this.#broadcast) return undefined',
      ),
    ],
  },
  {
    name: 'proposals to a learner that is not synchronized',
    edits: [
      edit(
        'zab/learner-link.ts',
        "return this.is('offered') || this.is('synced')",
        "return this.is('streaming') || this.is('offered') || this.is('synced')",
      ),
    ],
  },
  {
    name: 'a follower commits what is only proposed',
    edits: [
      edit(
        'zab/learner.ts',
        "this.#sendWhenDurable({ type: 'ack', zxid: batch.last }, turn)",
        "this.#sendWhenDurable({ type: 'ack', zxid: batch.last }, turn)\n" +
          "    if (stage.type === 'serving') this.#commit(batch.last, turn)",
      ),
      edit('zab/learner.ts', 'demand(zxid >= this.#told, `commits', 'demand(zxid >= 0, `commits'),
    ],
  },
  {
    name: 'a request is forwarded twice',
    edits: [
      edit(
        'request/forward.ts',
        'this.#writer.buffer(request.frame)',
        'this.#writer.buffer(request.frame)\n' +
          '    Head.write(this.#writer, request)\n' +
          '    this.#writer.int(asBefore)\n' +
          '    this.#writer.buffer(request.frame)',
      ),
    ],
  },
  {
    name: 'a failed multi leaves traces',
    edits: [edit('request/pending.ts', 'if (kept) return', 'if (kept || !kept) return')],
  },
  {
    name: 'a session that moved still writes where it was',
    isRare: true,
    edits: [edit('request/proposer.ts', "else if (known !== owner) return 'SessionMoved'", '')],
  },
  {
    name: 'an ephemeral outlives its session',
    edits: [
      edit(
        'tree/tree.ts',
        'for (const path of [...this.ephemeralsOf(session)].toSorted()) {',
        'for (const path of [...this.ephemeralsOf(session)].toSorted().slice(1)) {',
      ),
    ],
  },
  {
    name: 'an event leaves after the reply that shows its change',
    edits: [
      edit(
        'session/desk/desk.ts',
        'for (const event of events) this.#bell.ring(event, header.zxid)\n    const waiting',
        'const waiting',
      ),
      edit(
        'session/desk/desk.ts',
        "    if (body.type === 'closeSession') this.#edges.end",
        '    for (const event of events) this.#bell.ring(event, header.zxid)\n' +
          "    if (body.type === 'closeSession') this.#edges.end",
      ),
    ],
  },
  {
    name: 'a one-shot watch stays',
    edits: [
      edit(
        'watch/watches.ts',
        'this.#take(this.#data, holder, holder.dataWatches, path, modes.standard)',
        'void holder',
      ),
    ],
  },
  {
    name: 'a watch armed again is not told what it missed',
    isRare: true,
    edits: [
      edit(
        'session/desk/rearm.ts',
        'else if (node.mzxid > since)',
        'else if (node.mzxid > since + 1)',
      ),
    ],
  },
  {
    name: 'a member that is behind takes a session over',
    isRare: true,
    edits: [
      edit(
        'session/desk/reception.ts',
        'if (asked.lastZxid > this.#tree().applied) return',
        'if (asked.lastZxid > this.#tree().applied + 1e15) return',
      ),
    ],
  },
  {
    name: 'a read overtakes its session’s write',
    edits: [
      edit(
        'session/desk/desk.ts',
        'if (!needsLeader && attachment.queue.length === 0)',
        'if (!needsLeader)',
      ),
    ],
  },
  {
    name: 'a sync asks nobody',
    isRare: true,
    edits: [
      edit(
        'replica.ts',
        'if (this.#reign === undefined) this.#errands.sync(number)',
        'if (this.#reign === undefined) this.desk.synced(number)',
      ),
    ],
  },
  {
    name: 'a live session expires',
    edits: [
      edit(
        'session/host/hosted.ts',
        'this.heardMs + this.timeoutMs) /',
        'this.heardMs + this.timeoutMs / 2) /',
      ),
    ],
  },
  {
    name: 'a session of which an open is astray is forgotten',
    isRare: true,
    edits: [
      edit('session/host/lifecycle.ts', 'if (session.hasStrayOpen) {', 'if (session.id === 0n) {'),
    ],
  },
  {
    name: 'a session whose open went astray is asked for again by its id',
    isRare: true,
    edits: [
      edit(
        'session/host/lifecycle.ts',
        'if (session.isNew && session.hasStrayOpen) return this.#renumber(session)',
        '',
      ),
    ],
  },
  {
    name: 'the last ping is lost with its connection',
    isRare: true,
    edits: [
      edit(
        'session/host/lifecycle.ts',
        'this.#hearPing(session)\n    session.connection',
        'session.connection',
      ),
    ],
  },
  {
    name: 'a client at rest waits for a reply that was lost',
    isRare: true,
    edits: [edit('session/host/survivor.ts', 'if (session.outstanding > 0) return undefined', '')],
  },
  {
    name: 'the list after a crash is the last word',
    isRare: true,
    edits: [
      edit(
        'session/host/recovery.ts',
        'this.#listAgainAtMs = this.#wasListedTwice',
        'this.#listAgainAtMs = true',
      ),
    ],
  },
]
