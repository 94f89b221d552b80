/**
 * Property tests draw the same cases at every run, so that a red run is the change's own fault; a number in
 * PROPERTY_SEED draws others.
 */
import { configureGlobal } from 'fast-check'

const seed = Number(process.env['PROPERTY_SEED'] ?? '1')
if (!Number.isSafeInteger(seed))
  throw new Error(`PROPERTY_SEED must be a whole number, not ${process.env['PROPERTY_SEED']}`)
configureGlobal({ seed })
