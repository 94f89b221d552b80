import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zookeeper, { type Client } from 'node-zookeeper-client'
import { describe, expect, it } from 'vitest'
import { commandScript, startEnsemble, type Ensemble, type Mode } from '../support/ensemble.ts'
import { freePorts } from '../support/ports.ts'
import { until } from '../support/until.ts'

const modes: readonly Mode[] = ['start', 'serve']

describe.each(modes)('npm %s', (mode) => {
  it('tells who leads, how to try it, and every change of roles', async () => {
    const ensemble = await startEnsemble({ mode, observers: 1 })
    try {
      await until('the invitation', () => ensemble.logs.includes('The ensemble is formed'))
      const [first, , third, fourth] = ensemble.zkPorts
      expect(ensemble.logs).toMatch(`member 1  follower    epoch 1    tcp 127.0.0.1:${first}`)
      expect(ensemble.logs).toMatch(`member 3  leader      epoch 1    tcp 127.0.0.1:${third}`)
      expect(ensemble.logs).toMatch(`member 4  observer    epoch 1    tcp 127.0.0.1:${fourth}`)
      expect(ensemble.logs).toMatch(`zkCli.sh -server ${ensemble.hosts}`)
      expect(ensemble.logs).toMatch(ensemble.webSocketUrl)
      expect(ensemble.logs).toMatch(`${ensemble.httpOrigin}/admin/members`)
      await ensemble.restartMember(3)
      await until('the next epoch', () => /member \d  leader      epoch 2/.test(ensemble.logs))
    } finally {
      await ensemble.stop()
    }
  })

  it('refuses a folder that another ensemble has, and takes it once that one was killed', async () => {
    const ensemble = await startEnsemble({ mode, members: 1 })
    try {
      const [httpPort, zkPort] = await freePorts(2)
      const env = { MEMBERS: '1', HTTP_PORT: `${httpPort}`, ZK_PORT: `${zkPort}` }
      const { status, stderr } = run(mode, { ...env, DATA_DIR: ensemble.dataDir })
      expect(stderr).toContain(`DATA_DIR is in use by process ${ensemble.pid}`)
      expect(status).toBe(1)
      expect((await ensemble.members())[0]?.isServing).toBe(true)
      await ensemble.kill9()
      await ensemble.start()
    } finally {
      await ensemble.stop()
    }
  })

  it('refuses bad settings at once, all of them', () => {
    const { status, stderr, stdout } = run(mode, {
      MEMBERS: '10',
      TICK_TIME: 'soon',
      HTTP_PORT: '0',
      BIND_ADDRESS: 'here',
    })
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: [
        'bad settings:',
        '  MEMBERS is "10": must be a whole number from 1 to 9',
        '  TICK_TIME is "soon": must be a whole number from 20 to 60000',
        '  HTTP_PORT is "0": must be a whole number from 1 to 65535',
        '  BIND_ADDRESS is "here": must be an IP address',
        '',
      ].join('\n'),
    })
  })

  it('names the port that is taken and the variable to change', async () => {
    const [httpPort, first, second] = await freePorts(4)
    const holder = createServer().listen(second, '127.0.0.1')
    await once(holder, 'listening')
    try {
      const { status, stderr } = run(mode, { HTTP_PORT: `${httpPort}`, ZK_PORT: `${first}` })
      expect(stderr).toBe(`port ${second} is taken: set ZK_PORT to another one\n`)
      expect(status).toBe(1)
    } finally {
      holder.close()
    }
  })

  it.skipIf(!existsSync('/proc'))('leaves no process behind, whichever way it ends', async () => {
    const ensemble = await startEnsemble({ mode })
    expect(processesOf(ensemble)).not.toEqual([])
    await ensemble.kill9()
    await until('everything to be gone', () => processesOf(ensemble).length === 0)
    await ensemble.restart()
    const client = await connect(ensemble) // workerd itself would wait for it to leave
    await ensemble.stop()
    await until('everything to be gone', () => processesOf(ensemble).length === 0)
    client.close()
  })
})

it('goes on under either command with what the other left', async () => {
  const ensemble = await startEnsemble({ mode: 'start', members: 1 })
  try {
    await create(await connect(ensemble), '/by-start')
    await ensemble.restart('serve')
    await create(await connect(ensemble), '/by-serve')
    await ensemble.restart('start')
    const client = await connect(ensemble)
    const names = await new Promise((resolve) => {
      client.getChildren('/', (_, children) => resolve(children))
    })
    expect(names).toEqual(expect.arrayContaining(['by-start', 'by-serve']))
    client.close()
  } finally {
    await ensemble.stop()
  }
})

function run(mode: Mode, env: Readonly<Record<string, string>>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'durable-keeper-'))
  try {
    return spawnSync(process.execPath, [commandScript(mode)], {
      env: { ...process.env, DATA_DIR: dataDir, ...env },
      encoding: 'utf8',
      timeout: 20_000,
    })
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Every process that names the ensemble's folder. */
function processesOf({ dataDir }: Ensemble): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return '' // it has just gone
      }
    })
    .filter((command) => command.includes(dataDir))
}

function connect(ensemble: Ensemble): Promise<Client> {
  const client = zookeeper.createClient(ensemble.hosts, { sessionTimeout: 5000, retries: 3 })
  return new Promise((resolve) => {
    client.once('connected', () => resolve(client))
    client.connect()
  })
}

const create = (client: Client, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    client.create(path, (error) => {
      client.close()
      if (error) reject(error)
      else resolve()
    })
  })
