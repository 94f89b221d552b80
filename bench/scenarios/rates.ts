import type { Operation, Shape } from '../cells.ts'
import type { Run, Stage } from '../stage.ts'
import type { Context } from './scenario.ts'

/** One run of 100 bytes. */
export async function rateOf(
  stage: Stage,
  operation: Operation,
  shape: Shape,
  { seconds }: Pick<Context, 'seconds'>,
): Promise<Run> {
  await stage.open(shape.sessions)
  const run = await stage.run({ operation, bytes: 100, ...shape }, seconds)
  if (run.errors > 0) throw new Error(`${stage.target.name}: ${run.errors} errors`)
  return run
}
