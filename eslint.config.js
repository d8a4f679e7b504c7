import nx from '@nx/eslint-plugin'
import jsonc from 'jsonc-eslint-parser'
import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

// What each package may import from the workspace: one line a package, as in the architecture table.
const mayImport = {
  errors: [],
  format: ['errors'],
  hypervisor: ['errors'],
  'plugin-api': ['errors', 'hypervisor'],
  'libxc-stream': ['errors', 'format', 'hypervisor'],
  'libxl-stream': ['errors', 'format', 'hypervisor', 'libxc-stream'],
  'backend-mock': ['errors', 'hypervisor', 'plugin-api', 'durable'],
  'backend-xen': ['errors', 'hypervisor', 'plugin-api', 'qmp', 'net-buffer'],
  transports: ['errors', 'plugin-api'],
  arbiters: ['errors', 'plugin-api'],
  'net-buffer': ['errors', 'hypervisor'],
  remus: ['plugin-api'],
  colo: ['plugin-api'],
  comparer: ['hypervisor'],
  'colo-proxy': ['errors', 'hypervisor', 'plugin-api'],
  session: ['errors', 'format', 'hypervisor', 'plugin-api'],
  compliance: ['errors', 'hypervisor', 'plugin-api'],
  toolstack: ['errors', 'comparer', 'colo-proxy', 'format', 'hypervisor', 'plugin-api', 'libxc-stream', 'libxl-stream', 'session'],
  'save-helper': ['errors', 'format', 'hypervisor', 'libxc-stream', 'backend-xen', 'backend-mock'],
  durable: [],
  qmp: ['errors', 'hypervisor'],
  qemu: ['errors', 'durable', 'qmp', 'format', 'hypervisor', 'plugin-api'],
  'qemu-disk': ['errors', 'hypervisor'],
  observers: ['errors', 'plugin-api'],
  simulate: ['errors', 'format', 'hypervisor', 'plugin-api', 'toolstack', 'backend-mock', 'remus', 'session', 'colo'],
  cli: ['errors', 'format', 'hypervisor', 'plugin-api', 'toolstack', 'backend-mock', 'backend-xen', 'transports', 'arbiters', 'remus', 'colo', 'session', 'qemu', 'observers', 'simulate', 'qemu-disk', 'qmp'],
}
// Packages that run in a browser: no dependency from outside, no Node API, no clock, no randomness.
const pure = ['errors', 'format', 'hypervisor', 'plugin-api', 'libxc-stream', 'libxl-stream', 'remus', 'colo', 'comparer', 'colo-proxy']

// Tests may also import what the package lists for its development.
const forTests = (name) => {
  const { devDependencies = {} } = JSON.parse(readFileSync(new URL(`packages/${name}/package.json`, import.meta.url), 'utf8'))
  return Object.keys(devDependencies).flatMap((other) => (other.startsWith('@xen-replication/') ? [other.slice('@xen-replication/'.length)] : []))
}

const boundaries = (who) => [
  'error',
  {
    enforceBuildableLibDependency: true,
    allowCircularSelfDependency: true, // tests import their own package by name
    allow: [],
    depConstraints: Object.entries(mayImport).map(([name, others]) => ({
      sourceTag: `pkg:${name}`,
      onlyDependOnLibsWithTags: [name, ...others, ...(who === 'tests' ? forTests(name) : [])].map((other) => `pkg:${other}`),
      ...(who === 'sources' && pure.includes(name) ? { bannedExternalImports: ['*'] } : {}),
    })),
  },
]

export default defineConfig(
  globalIgnores(['**/dist/**', '**/bundle/**', '**/out-tsc/**', '**/coverage/**', '**/.test-results/**', '**/node_modules/**', '**/vitest.config.ts']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@nx/enforce-module-boundaries': boundaries('tests'),
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries('sources'),
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
        { selector: "ExportSpecifier[exported.name='default']", message: 'Export by name.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
        { selector: "Program > VariableDeclaration[kind='let']", message: 'State belongs to an object or a function.' },
        { selector: "Program > ExportNamedDeclaration > VariableDeclaration[kind='let']", message: 'State belongs to an object or a function.' },
      ],
    },
  },
  {
    files: pure.map((name) => `packages/${name}/src/**/*.ts`),
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*', ...builtinModules], message: 'This package runs in a browser.' }] }],
      'no-restricted-globals': ['error', 'Date', 'performance', 'process', 'Buffer', 'setTimeout', 'setInterval'],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Randomness comes in from outside.' }],
    },
  },
  {
    files: ['packages/*/package.json'],
    languageOptions: { parser: jsonc },
    plugins: { '@nx': nx },
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          ignoredFiles: ['{projectRoot}/vitest.config.ts', '{projectRoot}/test/**'],
          ignoredDependencies: ['reflect-metadata', 'uplot'], // inversify asks whoever uses it to bring the one; the other is read as text
          checkVersionMismatches: true,
        },
      ],
    },
  },
)
