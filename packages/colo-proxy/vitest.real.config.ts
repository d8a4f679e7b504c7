import { defineConfig } from 'vitest/config'

// Tests with real QEMUs: `npm run test:qemu`.
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../../node_modules/.vite/packages/colo-proxy-real',
  ssr: { resolve: { conditions: ['@xen-replication/source'] } },
  test: {
    name: 'colo-proxy-real',
    include: ['test-real/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 30_000,
    fileParallelism: false, // each has a QEMU, and the machine two cores
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest-real.json' },
  },
})
