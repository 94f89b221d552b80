/** What the nemesis can do to an ensemble, whichever it is: processes are numbered from 1, and have a member or all. */
export interface Machines {
  readonly name: string
  /** Client ports, each a member's. */
  readonly ports: readonly number[]
  /** Processes that can be killed. */
  readonly processes: readonly number[]
  readonly tickTimeMs: number
  /** The member that leads. */
  leader(): Promise<number | undefined>
  /** The process a member lives in. */
  processOf(member: number): number
  readonly kill9: (process: number) => Promise<void>
  /** Ends it as a supervisor does. Undefined where there is no such thing. */
  readonly stop?: (process: number) => Promise<void>
  /** Starts what was killed or stopped. */
  readonly start: (process: number) => Promise<void>
  freeze(process: number): void
  thaw(process: number): void
  /** The member's actor dies, the process lives. */
  readonly abortMember?: (member: number) => Promise<void>
  /** Damages a log row of a member whose process does not run; says what it did. */
  readonly corrupt?: (member: number) => string
  /** Leaves the process no room on its disk until it is called with false. */
  readonly fillDisk?: (process: number, isFull: boolean) => void
  /** Their common store is away. */
  readonly freezeBucket?: (isFrozen: boolean) => void
  /** Waits until every member serves. */
  formed(): Promise<void>
  /** Zxid and digest of every member. */
  states(): Promise<readonly { readonly zxid: string; readonly digest: string }[]>
  /** What its processes printed. */
  logs(): string
  end(): Promise<void>
}
