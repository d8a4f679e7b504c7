/** A setting: what it is called in files, in the environment and on the command line. */
export interface SettingSpec {
  /** In a file; flags are `--NAME` unless said otherwise. */
  readonly name: string
  readonly env: string
  readonly flag: string | undefined
  /** `path`: relative to the file it stands in, or to the current folder. `list`: all sources together. */
  readonly kind: 'text' | 'path' | 'list'
  /** One sentence for people. */
  readonly summary: string
}

/** Every setting of the toolstack itself, in the order in which they are shown. Those of plugins stand in the table `[settings]` of a file. */
export const settingSpecs: readonly SettingSpec[] = [
  { name: 'backend', env: 'XR_BACKEND', flag: '--backend', kind: 'text', summary: 'what runs the guests of this host' },
  { name: 'mock-host', env: 'XR_MOCK_HOST', flag: '--mock-host', kind: 'path', summary: 'folder of the simulated host' },
  { name: 'mock-faults', env: 'XR_MOCK_FAULTS', flag: undefined, kind: 'text', summary: 'what goes wrong on the simulated host, for tests' },
  { name: 'plugins', env: 'XR_PLUGINS', flag: '--plugin', kind: 'list', summary: 'npm packages to be loaded as plugins; in the environment separated by commas' },
  { name: 'run-dir', env: 'XR_RUN_DIR', flag: undefined, kind: 'path', summary: 'folder in which operations under way can be found' },
]
