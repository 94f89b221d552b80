/**
 * What members say to each other. Election notes are single and unordered; packets travel in order on the link between
 * a learner and its leader, the twin of ZooKeeper's QuorumPacket. Names are ZooKeeper's in camel case.
 */
import type { Epoch, Sid, Zxid } from '../shared/units.ts'
import type { Configuration } from './configuration.ts'
import type { LogBatch } from './log-batch.ts'

export type ServerState = 'looking' | 'following' | 'leading' | 'observing'

/** Whom a member would follow: the candidate's last logged zxid and current epoch decide, then its sid. */
export interface Vote {
  readonly leader: Sid
  readonly zxid: Zxid
  readonly epoch: Epoch
}

/** One election note (FastLeaderElection.Notification). */
export interface Notification {
  readonly from: Sid
  readonly state: ServerState
  readonly vote: Vote
  /** The election round, ZooKeeper's logical clock. */
  readonly round: number
  /** Sent again because nothing came of it: whoever agrees says so once more. Notes may be lost here, ZooKeeper's not. */
  readonly asks: boolean
  /** The sender's configuration; undefined while it is only what its settings say. */
  readonly configuration: Configuration | undefined
  /** One in the sender's log that is not known to be committed. */
  readonly pending: Configuration | undefined
}

/** Between a learner and its leader, in order. */
export type Packet =
  // discovery
  /** `version`: of the newest configuration that the learner knows to be committed. */
  | { readonly type: 'followerInfo'; readonly acceptedEpoch: Epoch; readonly version: Zxid }
  | { readonly type: 'observerInfo'; readonly acceptedEpoch: Epoch; readonly version: Zxid }
  | { readonly type: 'leaderInfo'; readonly epoch: Epoch }
  /** `currentEpoch` −1: the epoch was accepted before, the answer does not count towards the quorum. */
  | { readonly type: 'ackEpoch'; readonly currentEpoch: Epoch; readonly lastZxid: Zxid }
  // synchronization
  /** What follows is the history after the learner's own. */
  | { readonly type: 'diff'; readonly to: Zxid }
  /** Drop every logged txn above `to`; what follows is the history after it. */
  | { readonly type: 'trunc'; readonly to: Zxid }
  /** Forget everything: chunks of the tree as it was at `zxid` follow, then the history after it. */
  | { readonly type: 'snap'; readonly zxid: Zxid }
  /** Sealed (`seal.ts`). */
  | { readonly type: 'snapChunk'; readonly bytes: Uint8Array; readonly last: boolean }
  | { readonly type: 'snapAck' }
  /** Learner → leader: your `trunc` goes below what I applied, or to what I do not have; send your tree instead. */
  | { readonly type: 'needSnap' }
  /** With it comes the configuration in force; one that is pending is in the history. */
  | {
      readonly type: 'newLeader'
      readonly epoch: Epoch
      readonly configuration: Configuration
    }
  | { readonly type: 'ackNewLeader'; readonly epoch: Epoch; readonly lastZxid: Zxid }
  /** Everything up to `committed` is committed: start serving. */
  | { readonly type: 'upToDate'; readonly committed: Zxid }
  // broadcast
  | { readonly type: 'proposal'; readonly batch: LogBatch }
  /** Everything up to `zxid` is durable at the learner. */
  | { readonly type: 'ack'; readonly zxid: Zxid }
  /** Everything up to `zxid` is committed. */
  | { readonly type: 'commit'; readonly zxid: Zxid }
  /** Everything up to `zxid` is durable at the leader, who is a quorum with you: what you have durable of it is committed. */
  | { readonly type: 'pledged'; readonly zxid: Zxid }
  /** As `commit`, of a reconfiguration: from now on `leader` leads. */
  | { readonly type: 'commitAndActivate'; readonly zxid: Zxid; readonly leader: Sid }
  /** To an observer: proposal and commit in one. */
  | { readonly type: 'inform'; readonly batch: LogBatch }
  | { readonly type: 'informAndActivate'; readonly batch: LogBatch; readonly leader: Sid }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' }
  // passed through: what replicas, not their consensus, say to each other
  /** Learner → leader: requests of the learner's sessions, encoded by the replica. */
  | { readonly type: 'request'; readonly bytes: Uint8Array }
  /** Learner → leader: is this session alive? The leader's answer repeats the number. */
  | {
      readonly type: 'revalidate'
      readonly number: number
      readonly session: bigint
      /** The attachment that may write from now on. */
      readonly attachment: number
    }
  | { readonly type: 'revalidated'; readonly number: number; readonly alive: boolean }
  /** Learner → leader and back, once everything proposed before it is committed. */
  | { readonly type: 'sync'; readonly number: number }
  | { readonly type: 'synced'; readonly number: number }
  /** Leader → learner: our tree at this zxid. The learner answers with its own. */
  | { readonly type: 'digest'; readonly zxid: Zxid; readonly digest: string }
  | { readonly type: 'digested'; readonly zxid: Zxid; readonly digest: string }
  /** Leader → learner: a quorum has another tree than yours at this zxid. */
  | { readonly type: 'disowned'; readonly zxid: Zxid }

export type PacketOf<T extends Packet['type']> = Extract<Packet, { type: T }>

/** What a member says to itself once its disk has it, as if it were a learner of its own. */
export type OwnPacket = PacketOf<'ackEpoch' | 'ackNewLeader' | 'ack'>

/** Who may say what; a packet from the wrong side is a fault. */
const saidByLearners = {
  followerInfo: true,
  observerInfo: true,
  ackEpoch: true,
  snapAck: true,
  needSnap: true,
  ackNewLeader: true,
  ack: true,
  pong: true,
  request: true,
  revalidate: true,
  sync: true,
  digested: true,
} as const satisfies Partial<Record<Packet['type'], true>>

type FromLearner = PacketOf<keyof typeof saidByLearners>
type FromLeader = Exclude<Packet, FromLearner>

export const isFromLearner = (packet: Packet): packet is FromLearner =>
  packet.type in saidByLearners
export const isFromLeader = (packet: Packet): packet is FromLeader => !isFromLearner(packet)

/** Packets that zab only carries: their meaning is the replica's. */
export type CarriedPacket = Extract<
  Packet,
  {
    readonly type:
      | 'request'
      | 'revalidate'
      | 'revalidated'
      | 'sync'
      | 'synced'
      | 'digest'
      | 'digested'
      | 'disowned'
  }
>
