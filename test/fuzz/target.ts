/** Something that takes bytes from outside, as the fuzzer sees it. */
import type { Random } from '../../src/core/shared/random.ts'

export interface Target {
  readonly name: string
  /** Inputs that one life takes, one after the other, before the next begins anew. */
  readonly inputsPerLife: number
  /** Of a hundred inputs, how many this target gets. */
  readonly share: number
  /** An input: damaged, or whole and meant to bring the target where damage is worth something. */
  draw(random: Random): Uint8Array
  begin(): Life
  /** What the summary counts it under. */
  kindOf(input: Uint8Array): string
}

export interface Life {
  /** Throws where the target did what it must not: that is, nothing that its outside would have survived. */
  take(input: Uint8Array): void
  /** Laws that must hold in the end. */
  end?(): void
}
