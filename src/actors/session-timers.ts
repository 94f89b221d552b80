/**
 * When a session actor wakes by itself: the durable alarm that judges its sessions, the timer that tries a member again,
 * and the one that finds that all is at rest.
 */
import { limits } from '../core/shared/limits.ts'

export interface TimerOwner {
  wake(): void
  /** Is nothing under way? */
  isQuiet(): boolean
  /** All is at rest: keep what hibernation would lose. */
  rest(): void
}

export class SessionTimers {
  readonly #storage: DurableObjectStorage
  readonly #owner: TimerOwner
  #alarmSetFor = Infinity
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #retryTimerAtMs = Infinity
  #restTimer: ReturnType<typeof setTimeout> | undefined
  #lastBusyMs = 0

  constructor(storage: DurableObjectStorage, owner: TimerOwner) {
    this.#storage = storage
    this.#owner = owner
  }

  /** Is there an alarm that an earlier life has set? */
  async findAlarm(): Promise<boolean> {
    const alarm = await this.#storage.getAlarm()
    if (alarm === null) return false
    this.#alarmSetFor = alarm
    return true
  }

  alarmCame(): void {
    this.#alarmSetFor = Infinity
  }

  /** The alarm is the earliest of what must survive eviction; moving it later is left to the alarm itself. */
  setAlarm(atMs: number): void {
    if (atMs >= this.#alarmSetFor) return
    this.#alarmSetFor = atMs
    void this.#storage.setAlarm(atMs)
  }

  /** A timer that nobody needs is taken back: it would keep the actor awake. */
  setRetry(atMs: number): void {
    if (atMs === this.#retryTimerAtMs) return
    if (this.#retryTimer !== undefined) clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    this.#retryTimerAtMs = atMs
    if (atMs === Infinity) return
    const delayMs = Math.max(0, atMs - Date.now())
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined
      this.#retryTimerAtMs = Infinity
      this.#owner.wake()
    }, delayMs)
  }

  /** Something took place; where `canRest`, its end is watched for. */
  busy(canRest: boolean): void {
    this.#lastBusyMs = Date.now()
    if (this.#restTimer === undefined && canRest) this.#watchRest()
  }

  #watchRest(): void {
    this.#restTimer = setTimeout(() => {
      this.#restTimer = undefined
      const isBusy = Date.now() - this.#lastBusyMs < limits.restBeforeSavingMs
      if (isBusy || !this.#owner.isQuiet()) this.#watchRest()
      else this.#owner.rest()
    }, limits.restBeforeSavingMs)
  }
}
