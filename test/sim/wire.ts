/** A client's connection to a session actor. */
export class Wire {
  /** Where the client lives. */
  readonly client: number
  /** Where the actor lives. */
  readonly actor: number
  /** A WebSocket, which outlives its member; TCP is closed with it. */
  readonly survives: boolean
  readonly pinned: number | undefined
  /** The actor's number for it. */
  connection = 0
  /** The client was told of this session. */
  session: bigint | undefined
  /** By the actor's clock. */
  heardMs = 0
  trulyHeardMs = 0
  pingedMs = 0
  /** When the last thing sent to each side arrives. */
  toActorMs = 0
  toClientMs = 0
  isOpenAtClient = true
  isOpenAtActor = true

  constructor(client: number, actor: number, survives: boolean, pinned: number | undefined) {
    this.client = client
    this.actor = actor
    this.survives = survives
    this.pinned = pinned
  }
}
