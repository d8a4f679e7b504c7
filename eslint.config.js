import nx from '@nx/eslint-plugin'
import jsonc from 'jsonc-eslint-parser'
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
  'backend-mock': ['errors', 'hypervisor', 'plugin-api'],
  transports: ['errors', 'plugin-api'],
  arbiters: ['errors', 'plugin-api'],
  'net-buffer': ['errors', 'hypervisor'],
  'qemu-disk': ['errors', 'hypervisor'],
  remus: ['plugin-api'],
  observers: ['errors', 'plugin-api'],
  session: ['errors', 'format', 'hypervisor', 'plugin-api'],
  compliance: ['errors', 'hypervisor', 'plugin-api'],
  toolstack: ['errors', 'format', 'hypervisor', 'plugin-api', 'libxc-stream', 'libxl-stream', 'session'],
  simulate: ['errors', 'format', 'hypervisor', 'plugin-api', 'toolstack', 'backend-mock', 'remus', 'session'],
  cli: ['errors', 'format', 'hypervisor', 'plugin-api', 'toolstack', 'backend-mock', 'transports', 'arbiters', 'remus', 'observers', 'session', 'simulate'],
}
// Packages that run in a browser: no dependency from outside, no Node API, no clock, no randomness.
const pure = ['errors', 'format', 'hypervisor', 'plugin-api', 'libxc-stream', 'libxl-stream', 'remus']

const boundaries = (purity) => [
  'error',
  {
    enforceBuildableLibDependency: true,
    allowCircularSelfDependency: true, // tests import their own package by name
    allow: [],
    depConstraints: Object.entries(mayImport).map(([name, others]) => ({
      sourceTag: `pkg:${name}`,
      onlyDependOnLibsWithTags: [name, ...others].map((other) => `pkg:${other}`),
      ...(purity === 'keep pure' && pure.includes(name) ? { bannedExternalImports: ['*'] } : {}),
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
      '@nx/enforce-module-boundaries': boundaries('tests use libraries'),
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries('keep pure'),
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
          ignoredDependencies: ['reflect-metadata', 'uplot'], // inversify asks whoever uses it to bring it; pages carry its text
          checkVersionMismatches: true,
        },
      ],
    },
  },
)
