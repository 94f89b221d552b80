/** The ceiling: a workerd that gives every byte back, with the same load. */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../test/support/ports.ts'
import { until } from '../test/support/until.ts'
import { dialTcp } from './links.ts'
import { workerdBinary } from './machine.ts'
import type { Target } from './targets.ts'

export interface Echo {
  readonly worker: Target & { readonly name: 'echo' }
  readonly actor: Target & { readonly name: 'actor-echo' }
  stop(): Promise<void>
}

export async function startEcho(): Promise<Echo> {
  const home = mkdtempSync(join(tmpdir(), 'echo-'))
  const [workerPort = 0, actorPort = 0] = await freePorts(2)
  mkdirSync(join(home, 'actors'))
  copyFileSync(`${import.meta.dirname}/echo-worker.js`, join(home, 'worker.js'))
  const config = join(home, 'config.capnp')
  writeFileSync(config, configOf(workerPort, actorPort, home))
  const workerd = spawn(workerdBinary(), ['serve', config, 'config', '--experimental'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const gone = new Promise<void>((resolve) => workerd.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    workerd.kill('SIGKILL')
    await gone
    rmSync(home, { recursive: true, force: true })
  }
  try {
    await until('the echo to listen', () => listens(actorPort))
  } catch (error) {
    await stop()
    throw error
  }
  const targetAt = <N extends string>(name: N, port: number): Target & { readonly name: N } => ({
    name,
    greets: false,
    dial: () => dialTcp(port),
    pids: () => [workerd.pid ?? 0],
  })
  return { worker: targetAt('echo', workerPort), actor: targetAt('actor-echo', actorPort), stop }
}

const configOf = (workerPort: number, actorPort: number, home: string): string => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "actors", disk = (path = ${JSON.stringify(join(home, 'actors'))}, writable = true)),
  ],
  sockets = [
    (name = "worker", address = "127.0.0.1:${workerPort}", tcp = (), service = "main"),
    (name = "actor", address = "127.0.0.1:${actorPort}", tcp = (), service = "main"),
  ],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-20",
  bindings = [
    (name = "ACTOR_PORT", text = "${actorPort}"),
    (name = "ECHO", durableObjectNamespace = "Echo"),
  ],
  durableObjectNamespaces = [(className = "Echo", uniqueKey = "echo", enableSql = true)],
  durableObjectStorage = (localDisk = "actors"),
);
`

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
