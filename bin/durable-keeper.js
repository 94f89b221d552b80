#!/usr/bin/env node
// In a checkout the command runs from its source, which Node takes as it is from 22.18 on; in an installed package, and
// with an older Node, from what `npm run build` made of it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const source = new URL('../src/cli/main.ts', import.meta.url)
const built = new URL('../dist/src/cli/main.js', import.meta.url)
const runsSource =
  Boolean(process.features.typescript) && !source.pathname.includes('/node_modules/')
if (runsSource) await import(source)
else if (existsSync(built)) await import(built)
else {
  console.error(
    `durable-keeper needs Node 22.18 or later, or "npm run build" first: ${fileURLToPath(built)} is not there`,
  )
  process.exitCode = 1
}
