import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../../node_modules/.vite/packages/colo',
  ssr: { resolve: { conditions: ['@xen-replication/source'] } },
  test: {
    name: 'colo',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000, // properties take long on a busy machine; a hang is still found
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest.json' },
  },
})
