/** The time it is for a host, and when it wants to be woken. */
export class Schedule {
  nowMs: number
  /** The time a durable alarm must be set for; Infinity: there is no session to judge. */
  alarmAtMs = Infinity
  /** When a member should be tried again; Infinity: nobody waits for one. */
  retryAtMs = Infinity

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  alarmBy(atMs: number): void {
    this.alarmAtMs = Math.min(this.alarmAtMs, atMs)
  }

  retryBy(atMs: number): void {
    this.retryAtMs = Math.min(this.retryAtMs, atMs)
  }
}
