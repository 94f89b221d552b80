/** Two sessions of one ensemble: one waits for a node to change, the other changes it. Run it while `npm start` runs. */
import { connect } from 'durable-keeper/client'

const url = process.argv[2] ?? 'ws://127.0.0.1:8787/session'
const reader = connect(url)
const writer = connect(url)

const path = await writer.create('/greeting-', { data: 'hello', mode: 'ephemeralSequential' })
const { data, stat } = await reader.get(path, {
  watch: ({ type }) => {
    console.log(`${path}: ${type}`)
    void Promise.all([reader.close(), writer.close()])
  },
})
console.log(`${path} = ${new TextDecoder().decode(data ?? undefined)}, version ${stat.version}`)
await writer.set(path, 'good morning')
