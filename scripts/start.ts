/** `npm start`: the ensemble on a laptop, by `wrangler dev`. */
import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { SettingsError } from '../src/core/shared/read-settings.ts'
import { freePort } from './ensemble/free-port.ts'
import { projectDir, type Options } from './ensemble/options.ts'
import { type Entry, runEnsemble, type Launch } from './ensemble/run.ts'

const inspectorPort = await freePort()

await runEnsemble({
  name: 'wrangler dev',

  prepare(options: Options, worker: string, entry: Entry): Launch {
    const { dataDir, wrangler, vars, bindAddress, httpPort, cluster } = options
    if (cluster !== undefined) throw new SettingsError(['INSTANCE is for npm run serve'])
    const config = join(dataDir, 'wrangler.json')
    const derived = {
      ...wrangler,
      main: relative(dataDir, worker),
      no_bundle: true,
      vars: { ...vars, FRONT_SECRET: entry.secret },
      connect: [{ protocol: 'tcp', port: entry.port, address: entry.host }],
    }
    writeFileSync(config, JSON.stringify(derived, null, 2), { mode: 0o600 })
    return {
      command: process.execPath,
      args: [
        join(projectDir, 'node_modules/wrangler/bin/wrangler.js'),
        'dev',
        '--local',
        '--show-interactive-dev-session=false',
        `--config=${config}`,
        `--ip=${bindAddress}`,
        `--port=${httpPort}`,
        `--inspector-port=${inspectorPort}`,
        `--persist-to=${join(dataDir, 'state')}`,
      ],
      env: {
        X_LOCAL_OBSERVABILITY: 'false', // it costs ten times the price of a call between actors
        X_LOCAL_EXPLORER: 'false',
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_HIDE_BANNER: 'true', // and with it the question whether there is a newer one
        WRANGLER_WRITE_LOGS: 'false',
        WRANGLER_REGISTRY_PATH: join(dataDir, 'registry'), // several ensembles run side by side
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        FORCE_COLOR: '0',
      },
    }
  },

  retell(line) {
    const text = stripVTControlCharacters(line).replace(
      /^✘ \[ERROR\]|^\[wrangler:(?!info)\w+\]/,
      'worker:',
    )
    return isNoise(text) ? undefined : text
  },
})

/** wrangler lists bindings and every request; what the Worker itself says and what goes wrong is left. */
function isNoise(line: string): boolean {
  return (
    line.trim() === '' ||
    /^\[wrangler:info\]|^⎔|^Your Worker has access|^Binding +Resource|^env\.\w+/.test(line)
  )
}
