/** What random requests are made of: a few paths, so that operations meet, and now and then something odd. */
import type { Acl } from '../../src/core/jute/records.ts'
import type { Random } from '../../src/core/shared/random.ts'

export type Choice<T> = readonly [weight: number, make: () => T]

export class Ingredients {
  readonly #random: Random
  readonly root: string

  constructor(random: Random, root: string) {
    this.#random = random
    this.root = root
  }

  below(count: number): number {
    return this.#random.next() % count
  }

  of<const T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  many<T>(from: number, to: number, make: () => T): T[] {
    return Array.from({ length: this.#random.between(from, to) }, make)
  }

  pick<T>(choices: readonly Choice<T>[]): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0)
    let left = (this.#random.next() / 0x1_0000_0000) * total
    for (const [weight, make] of choices) {
      left -= weight
      if (left < 0) return make()
    }
    throw new Error('a choice has weight')
  }

  path(): string {
    const { root } = this
    return this.pick<string>([
      [3, () => root],
      [12, () => `${root}/a`],
      [8, () => `${root}/b`],
      [10, () => `${root}/a/x`],
      [8, () => `${root}/a/y`],
      [6, () => `${root}/a/x/z`],
      [4, () => `${root}/b/x`],
      [6, () => `${root}/e`],
      [2, () => `${root}/e/x`],
      [8, () => `${this.parent()}/s-${String(this.below(6)).padStart(10, '0')}`],
      [1, () => '/'],
      [1, () => this.of(['/zookeeper', '/zookeeper/quota', '/zookeeper/missing'])],
      [2, () => this.of(['', 'x', '//', '/.', '/..', `${root}/`, `${root}//a`, `${root}/a/`])],
      [1, () => `${root}/${this.of(['.', '..', './a', '../a', '...', '.a', 'a.', 'a/.'])}`],
      [1, () => `${root}/a${String.fromCharCode(this.of(oddCharacters))}`],
      [0.3, () => `${root}/😀`],
      [
        0.5,
        () => `${root}/${this.of(['grün 数', '%2F', 'n'.repeat(1000), 'x\ny', '🙂'.slice(1)])}`,
      ],
      [0.3, () => `${root}/b${'/d'.repeat(this.below(40))}`],
    ])
  }

  parent(): string {
    return this.root + this.of(['', '/a', '/b'])
  }

  /** What a number will be appended to. */
  sequential(): string {
    return this.pick<string>([
      [8, () => `${this.parent()}/s-`],
      [2, () => this.path()],
      [1, () => `${this.parent()}/`],
    ])
  }

  prefix(): string | null {
    const { root } = this
    return this.of(['/', root, `${root}/`, `${root}/a`, ` ${root}/a `, '', 'x', '/nothing', null])
  }

  flags(): number {
    return this.of([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, -1, 99])
  }

  version(): number {
    return this.of([-1, -1, -1, -1, -1, 0, 0, 0, 1, 1, 2, 3, -2, 0x7fff_ffff, -0x8000_0000])
  }

  data(): Uint8Array | null {
    return this.pick<Uint8Array | null>([
      [2, () => null],
      [2, () => new Uint8Array(0)],
      [6, () => Buffer.from(`d${this.below(100)}`)],
      [1, () => new Uint8Array(this.below(2000)).fill(0x61)],
      [0.05, () => new Uint8Array(500_000).fill(0x62)],
    ])
  }

  acl(): readonly Acl[] {
    if (this.below(4) > 0) return open
    const perms = this.of([31, 31, 31, 1, 2, 16, 0])
    return this.pick<readonly Acl[]>([
      [8, () => [world(this.of([0, 1, 2, 4, 8, 15, 16, 23, 27, 29, 30, 31, 63, -1]))]],
      [2, () => [world(1), world(30)]],
      [2, () => [world(31), world(31), world(1)]],
      [1, () => []],
      [1, () => [entry(31, 'world', 'somebody')]],
      [1, () => [entry(31, 'nothing', 'x')]],
      [3, () => [entry(perms, 'auth', this.of(['', 'ignored']))]],
      [1, () => [entry(perms, 'auth', ''), entry(31, 'digest', this.of(digests)), world(1)]],
      [3, () => [entry(31, 'digest', this.of(digests)), world(1)]],
      [3, () => [entry(perms, 'digest', this.of(digests))]],
      [1, () => [entry(31, 'digest', this.of(['u0', 'a:b:c', '', ':', 'u0:', ':x', 'u0::']))]],
      [3, () => [entry(perms, 'ip', this.of(addresses))]],
      [1, () => [entry(31, 'ip', this.of(noAddresses))]],
      [1, () => [entry(31, 'super', ''), world(31)]],
      [1, () => [entry(31, this.of(['sasl', 'x509', 'WORLD', '']), 'x')]],
    ])
  }

  timeout(): number {
    return this.of([60_000, 60_000, 30_000, 0, 1, -1, 9_999_999])
  }
}

const entry = (perms: number, scheme: string, id: string): Acl => ({ perms, id: { scheme, id } })
const world = (perms: number): Acl => entry(perms, 'world', 'anyone')
export const open: readonly Acl[] = [world(31)]

/** u0:p and u1:p */
const digests = ['u0:DIpnEgFj6vM9ScYgMWbYOXVpTe8=', 'u1:FfP80c+zcEPgU6zorph629PDPJ0='] as const
const addresses = ['127.0.0.1', '127.0.0.0/8', '10.0.0.0/8', '127.0.0.1/32', '0.0.0.0/0'] as const
const noAddresses = [
  '127.0.0',
  'localhost',
  '127.0.0.1/33',
  '127.0.0.1/x',
  '',
  '256.0.0.1',
] as const
const oddCharacters = [
  0, 1, 0x1f, 0x20, 0x7e, 0x7f, 0x9f, 0xa0, 0xd7ff, 0xe000, 0xf8ff, 0xf900, 0xffef, 0xfff0, 0xfffd,
] as const
