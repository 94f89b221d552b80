/** Everything that is fuzzed. */
import { clientTarget } from './client-target.ts'
import { ensembleTarget } from './ensemble-target.ts'
import { hostTarget } from './host-target.ts'
import { readerTarget } from './reader-target.ts'
import type { Target } from './target.ts'

export const targets: readonly Target[] = [readerTarget, ensembleTarget, hostTarget, clientTarget]
