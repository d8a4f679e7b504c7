import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../../node_modules/.vite/packages/toolstack',
  ssr: { resolve: { conditions: ['@xen-replication/source'] } },
  test: {
    name: 'toolstack',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000, // a busy machine is slow; a hang is still found
    retry: 1, // real processes and clocks on a busy machine; what fails twice running is no accident
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest.json' },
  },
})
