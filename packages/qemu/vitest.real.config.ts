import { defineConfig } from 'vitest/config'

// Tests with real QEMUs: `npm run test:qemu`.
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../../node_modules/.vite/packages/qemu-real',
  ssr: { resolve: { conditions: ['@xen-replication/source'] } },
  test: {
    name: 'qemu-real',
    include: ['test-real/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 30_000,
    fileParallelism: false, // each has two QEMUs, and the machine two cores
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest-real.json' },
  },
})
