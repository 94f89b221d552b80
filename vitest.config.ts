import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// Three projects in one run: pure code in Node, actors in workerd, and real processes with real clients.
export default defineConfig({
  test: {
    // The Worker’s own log would bury what the tests say; a test that is about the log reads it itself.
    onConsoleLog: (text) => !text.startsWith('{"event":'),
    projects: [
      {
        test: {
          name: 'core',
          include: ['test/**/*.test.ts'],
          exclude: ['test/actors/**', 'test/e2e/**', 'test/interop/**'],
          setupFiles: ['test/support/property-seed.ts'],
          // Nothing here takes a second by itself; a busy machine takes longer over it.
          testTimeout: 30_000,
        },
      },
      {
        plugins: [
          // Not from wrangler.toml, whose listeners would take the ports of an ensemble that runs beside the tests.
          cloudflareTest({
            main: './src/worker.ts',
            miniflare: {
              compatibilityDate: '2026-10-20',
              durableObjects: {
                MEMBER: { className: 'Member', useSQLite: true },
                SESSION: { className: 'Session', useSQLite: true },
              },
              // A short tick, so that sessions expire within a test; few sessions an actor, so that one is full at once.
              // Members are patient with each other for 5 s all the same: a busy machine stalls for more than five ticks.
              bindings: {
                TICK_TIME: '200',
                SYNC_LIMIT: '25',
                MAX_SESSION_TIMEOUT: '20000',
                FINALIZE_WAIT: '50',
                SESSIONS_PER_ACTOR: '4',
              },
            },
          }),
        ],
        test: {
          name: 'workers',
          include: ['test/actors/**/*.workers.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/interop/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
