import { defineConfig } from 'vitest/config'

// Tests with real QEMUs: `npm run test:qemu`.
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../../node_modules/.vite/packages/qemu-real',
  ssr: { resolve: { conditions: ['@xen-replication/source'] } },
  test: {
    name: 'qemu-real',
    include: ['test-real/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 30_000,
    globalSetup: ['test-real/keep-lock.setup.ts'],
    isolate: false,
    maxWorkers: 4, // most of the time they wait
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest-real.json' },
  },
})
