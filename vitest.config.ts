import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// One copy of graphql, whoever imports it: its `instanceof` checks refuse objects of another copy.
const graphql = fileURLToPath(new URL('node_modules/graphql/index.js', import.meta.url))

export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // More than a small machine has cores: where a test waits, another one works.
    maxWorkers: 3,
    // To load the product takes longer than most files do. What files share is modules alone: each has an app and a database of its own.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
