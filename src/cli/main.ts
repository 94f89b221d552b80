/** The command `durable-keeper`. */
import { Command } from 'commander'
import { bridgeCommand } from './bridge-command.ts'

await new Command('durable-keeper')
  .description('A coordination service that speaks Apache ZooKeeper’s protocol on Durable Objects.')
  .addCommand(bridgeCommand())
  .parseAsync()
