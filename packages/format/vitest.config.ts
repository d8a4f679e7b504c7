import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../../node_modules/.vite/packages/format',
  ssr: { resolve: { conditions: ['@xen-replication/source'] } },
  test: {
    name: 'format',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000, // properties take long on a busy machine; a hang is still found
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest.json' },
    coverage: {
      enabled: process.env['NX_TASK_TARGET_TARGET'] === 'test', // the full run; not when one file is tried by hand
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary'],
      thresholds: { branches: 100 }, // the same bound is in the workspace's vitest.config.ts
    },
  },
})
