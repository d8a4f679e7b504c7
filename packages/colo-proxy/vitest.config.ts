import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../../node_modules/.vite/packages/colo-proxy',
  ssr: { resolve: { conditions: ['@xen-replication/source'] } },
  test: {
    name: 'colo-proxy',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000, // properties take long on a busy machine; a hang is still found
    retry: 1, // real processes and clocks on a busy machine; what fails twice running is no accident
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest.json' },
  },
})
