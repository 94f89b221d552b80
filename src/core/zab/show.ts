import { counterOf, epochOf, type Zxid } from '../shared/units.ts'

/** `1:7`, a zxid for a log line: epoch and counter. */
export const showPoint = (zxid: Zxid): string => `${epochOf(zxid)}:${counterOf(zxid)}`
