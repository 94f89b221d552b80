/** Every bound of the system, each with its reason. What an operator may change is in `settings.ts` instead. */
export const limits = {
  /** Zxids are JavaScript numbers: epoch × 2^32 must stay below 2^53. Two million elections. */
  epochMax: 2 ** 21 - 1,
  /** The low half of a zxid. The leader steps down before it is used up. */
  counterMax: 0xffff_ffff,
  /** A member's number has one byte in a session id, and 255 would make it negative. */
  sidMax: 254,
  /** Zxids a leader leaves unused at the end of its epoch: more than the txns of all proposals under way. */
  zxidsReserved: 0x2_0000,
  /** One log row holds one batch. A SQLite row may have 2 MB on Cloudflare, and one txn may be one 1 MB frame. */
  logBatchBytesMax: 900_000,
  /**
   * A batch that stands among the key-value rows. What is larger costs less in a table of its own, and holds back what its
   * actor says until it is on disk: which is then most of what it does.
   */
  keyValueBatchBytesMax: 16 * 1024,
  /**
   * How much longer the ACLs of a txn may be than those of its request, where `auth` stands for all that a session has
   * proved: a txn is at most a fifth longer than its frame otherwise, and must fit one log row.
   */
  aclGrowthBytesMax: 100_000,
  /** Log kept in memory behind the checkpoint for late learners: COMMIT_LOG_COUNT txns may be as many MB. */
  historyBytesMax: 16 * 1024 * 1024,
  /** Proposals and forwarded requests a link message may carry before the next message is begun. */
  linkMessageBytesMax: 4 * 1024 * 1024,
  /**
   * One reply: it travels in one call of at most 32 MiB, behind what else is in the piece. A list of very many children
   * may be longer, and a multiRead of a few KB may ask for gigabytes.
   */
  replyBytesMax: 24 * 1024 * 1024,
  /** What a session has proved goes with each of its writes to the leader, and into what hibernation keeps of it. */
  identityBytesMax: 16 * 1024,
  /** Paths in one message that arms watches: characters, of which each may be three bytes. */
  watchPathBytesMax: 1024 * 1024,
  /**
   * What hibernation keeps of a session with very many watches is cut into rows. A row may have 2 MB; far less, because
   * only those that changed are written when the session comes to rest again.
   */
  survivorRowBytesMax: 64 * 1024,
  /** A chunk of a streamed snapshot: large enough to be few, small enough to be staged in one transaction. */
  snapshotChunkBytes: 512 * 1024,
  /** Runtime calls carry at most 32 MiB; a batch of frames or replies is cut well before. */
  rpcBytesMax: 8 * 1024 * 1024,
  /** A leader's own batches on their way to its disk; what comes meanwhile becomes the next batch (group commit). */
  ownBatchesInFlightMax: 2,
  /** A leader waits so long with its next batch for the last one to be committed; among far members a commit takes longer. */
  commitPatienceMs: 20,
  /** From so many requests on, just answered or waiting, a leader waits for those who were answered to ask again: fewer would notice. */
  gatheredFrom: 16,
  /** For this part of them: one that does not come is not to be waited for. */
  gatheredPart: 0.75,
  /** And for no more: so many pay for their flushes. */
  gatheredMost: 64,
  /** So long at most, ms: a client of the same machine needs one or two. */
  gatheringMs: 4,
  /** After waiting for nothing, again and again, it is tried after so many commits: the wait is then lost in the others. */
  gatheringSkipsMax: 16,
  /** How long an election waits for the votes of members that others have logged as voters, ms: ZooKeeper's finalizeWait. */
  newVotersWaitMs: 200,
  /** How long a follower whose ack is not needed may wait for a proposal that is not committed meanwhile, ms. */
  withheldMs: 10,
  /** How long a member may take to log what a quorum has already, ms: what comes meanwhile is one flush with it. */
  lateWriteMs: 10,
  /** Log written since the checkpoint, which a waking member applies again and all of which is in memory. */
  bytesBetweenCheckpoints: 16 * 1024 * 1024,
  /** New nodes without a row: they are in memory whatever the budget, and those that go soon never need a row. */
  unwrittenNodesMax: 50_000,
  /** Rows of a checkpoint written in one turn: each is about 6 µs, and whoever asks meanwhile waits. */
  rowsAtOnceMax: 2000,
  /** The same in a cluster: each may be on a page of its own, or make two of one, which `pagesAtOnceMax` cannot know. */
  rowsCopiedMax: 150,
  /** Rows left to the turn that ends a checkpoint: each may be on a page of its own. */
  rowsAtLastMax: 100,
  /** How often what may lie between two checkpoints lies there when a member takes nothing more until it is written. */
  overdueParts: 3,
  /** Such a pause, ms: others wait for this member, and think it dead after its syncLimit. */
  overdueMsMax: 5000,
  /** Rows of a tree that another took the place of, dropped in one turn. */
  rowsDroppedAtOnce: 1000,
  /** Rows of the log dropped in one turn, and their bytes. */
  logRowsDroppedAtOnce: 400,
  logBytesDroppedAtOnce: 512 * 1024,
  /** A page of SQLite. */
  pageBytes: 4096,
  /**
   * Pages changed in one transaction, as far as can be told before. SQLite has room for 500; it writes what is more ahead
   * of the commit, and again where it changes again, which the copying of a cluster cannot follow: the commit fails.
   */
  pagesAtOnceMax: 200,
  /** For the same reason: log in one transaction, where it is of more than one batch. */
  transactionBytesMax: 600_000,
  /** Log in a transaction that rows of the checkpoint may be in too. */
  logBesideRowsBytes: 256 * 1024,
  /** What stood where they stand, in one row of the store: behind this one more may come, of 1 MB, and a row has 2 MB. */
  beforeBytes: 256 * 1024,
  /** What stood there is in memory too, unless it is longer; 10,000 of them may be. */
  beforeInMemoryBytes: 2048,
  /** A member that applied nothing for this long writes its checkpoint: nobody waits for it then. */
  idleBeforeCheckpointMs: 1000,
  /** How often a member looks how much of its disk is used, ms: a second of writes is far less than what is kept free. */
  storageLookMs: 1000,
  /** A disk that was full is full no longer below this part of its limit: one delete must not open and close it. */
  storageFreeAgain: 0.95,
  /** Members compare trees at zxids that are multiples of this, as ZooKeeper does: below one CRC of a node a txn. */
  digestEveryTxns: 128,
  /** Digests kept for comparing: a learner may be ahead of what its leader said by some of them. */
  digestsKept: 16,
  /** Znodes in memory that are in the checkpoint too. An actor has 128 MB in all. */
  cacheBytesMax: 48 * 1024 * 1024,
  /** Calls under way on one link. Two keep both ends busy; more only reorder work (measured). */
  callsInFlightMax: 2,
  /** One read of a TCP client: what each of very many clients at rest costs … */
  readBytesMin: 4096,
  /** … and what one that sends much fills. A read costs as much as the requests of a few KB. */
  readBytesMax: 64 * 1024,
  /** A stream that has always more is read on after a turn of the others: a turn takes 1 ms, and these some 20. */
  readBytesInARow: 1024 * 1024,
  /** Bytes of replies that a TCP client has not taken; then it is read no further. To wait for each write costs a turn. */
  unwrittenBytesMax: 64 * 1024,
  /** A client that does not say who it is is let go, ms: ZooKeeper's sessionlessCnxnTimeout. */
  handshakeMs: 10_000,
  /** What the front says of itself, its secret and the client's address in it. */
  prefaceBytesMax: 1024,
  /** Bytes for a trunk that the runtime has not taken; then no client of it is read further. */
  trunkBufferedBytesMax: 4 * 1024 * 1024,
  /** What an actor gathers for a trunk before it writes: more at a time gains nothing and lies in memory. */
  trunkWriteBytes: 256 * 1024,
  /** One read of a trunk by the front: as much as the other end writes at a time. */
  trunkReadBytes: 256 * 1024,
  /** A client's frames travel together if they come together: a read's bytes behind the begin of a frame. */
  trunkBytesBeyondFrame: 128 * 1024,
  /** A ConnectRequest has 44 or 45 bytes; some room for clients that send more. */
  connectRequestBytesMax: 1024,
  /** How far a bridge's clock may be from the Worker's, ms, and how old what it vouches for. */
  vouchedClientAgeMsMax: 5 * 60_000,
  /** Bytes a bridge holds for a WebSocket that takes them too slowly; then it reads the client slower. */
  bridgeBufferedBytesMax: 1024 * 1024,
  /** Requests, pings among them, of one bridged client without a reply; then it is read slower. As ZooKeeper's. */
  bridgeOutstandingMax: 1000,
  /** A WebSocket of a bridge is given up when a ping is unanswered for a third of the session's timeout, and this, ms. */
  pongMsMin: 1000,
  /** A bridged client that was told goodbye may take this long to read what is on its way, ms. */
  lingerMs: 2000,
  /** How long an ending bridge waits for the replies of requests under way, ms. */
  drainMs: 5000,
  /** Lines about one trouble a bridge prints in this time: one, ms. */
  sameTroubleMs: 10_000,
  /** A member that does not tell about itself for this long is told of as down, ms: its machine may be frozen. */
  statusDeadlineMs: 2000,
  /** A member's alarm, ms: how long an evicted member may stay away when nobody calls it. */
  watchdogMs: 30_000,
  /** Bytes of requests without a reply that a session actor reads for all its clients: a fraction of its 128 MB. */
  unansweredBytesMax: 16 * 1024 * 1024,
  /** How long a member looks for a quorum before it serves reads without one, ms, or a tick if that is longer: as ZooKeeper. */
  readOnlyGraceMs: 2000,
  /** One line in the log about a limit of one quota in this time, ms. */
  sameQuotaWarningMs: 60_000,
  /** Limits of quotas whose last line is remembered: a tree may have many. */
  quotaWarningsRemembered: 1000,
  /** Requests of one WebSocket without a reply; TCP is simply read slower. Whoever sends more does not read. */
  socketBacklogMax: 100_000,
  /** And about their bytes: an actor has 128 MB for all its clients. */
  socketBacklogBytesMax: 32 * 1024 * 1024,
  /** A session actor at rest for this long writes down what hibernation would lose. The platform hibernates after 10 s. */
  restBeforeSavingMs: 1000,
  /** How soon a session looks for another member, ms: about as long as an election among neighbours takes. */
  memberRetryMs: 250,
  /** Messages that may arrive before the one they follow: more than the window allows is no reordering. */
  earlyMessagesMax: 16,
  /** A WebSocket message may be 32 MiB; ours are cut so that a browser shows progress. */
  socketMessageBytesMax: 1024 * 1024,
  /** A string longer than this in a reply's error text is cut: log lines are for people. */
  shownBytesMax: 200,
  /** Random and time bits of a session id below its member byte and its actor number. */
  sessionSerialMax: 2 ** 40 - 1,
  /** Session actors of one member: 16 bits of the session id. */
  sessionActorsMax: 0xffff,
} as const
