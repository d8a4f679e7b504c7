import { isXrError } from '@xen-replication/errors'
import type { Plugin } from '@xen-replication/plugin-api'
import type { ResolvedSettings, T as Tokens, Toolstack } from '@xen-replication/toolstack'
import { listOption, textOption, type OptionValues, type VerbContext } from '../commands/command.ts'
import { followOperation } from './follow-operation.ts'
import { GuestToldError } from './guest-told-error.ts'
import { observerSettings } from './observer-options.ts'

/** The toolstack as the command line, the environment and configuration files want it. */
export interface OpenToolstack {
  readonly stack: Toolstack
  /** Names of what is in it. */
  readonly T: typeof Tokens
  readonly settings: ResolvedSettings
  /** What the user typed where a file or a URL may stand. */
  readonly urlOf: (fileOrUrl: string) => Promise<string>
}

/**
 * Puts a toolstack together for one verb, shows what its operations tell, and takes it apart again. Its packages are loaded only here, so that
 * verbs on images start without them.
 */
export async function withToolstack<R>(ctx: VerbContext, options: OptionValues, work: (open: OpenToolstack) => Promise<R>): Promise<R> {
  const { compose, createRegistry, notesIn, systemClock, T } = await import('@xen-replication/toolstack')
  const settings = await settingsOf(ctx, options)
  const plugins = await pluginsOf(ctx, settings)
  const registry = createRegistry(settings.runDir, () => systemClock.now(), (why) => {
    if (ctx.verbosity > 0) ctx.stderr.writeNow(`xr: ${why}\n`)
  })
  const follower = followOperation(ctx)
  const stack = await compose({ backend: settings.backend, settings: { ...settings.forPlugins, ...observerSettings(options, ctx) }, plugins, observers: [follower], clock: systemClock, registry, notes: notesIn(settings.runDir), signal: ctx.signal })
  try {
    return await work({ stack, T, settings, urlOf: async (text) => (await stack.get(T.links)).urlOf(text, ctx.cwd) })
  } catch (error) {
    const fate = follower.fate()
    throw isXrError(error) && fate !== undefined ? new GuestToldError(error, fate) : error
  } finally {
    await stack.close()
    await follower.close()
  }
}

/** Those that come with xr, and those that the user wants. @throws PluginError */
export async function pluginsOf({ env, cwd }: VerbContext, { plugins }: ResolvedSettings): Promise<readonly Plugin[]> {
  const { loadPlugins } = await import('@xen-replication/toolstack')
  const { firstParty } = await import('./first-party.ts')
  return [...firstParty(env), ...(await loadPlugins(plugins, cwd))]
}

/** What holds for this command line. */
export async function settingsOf({ env, cwd }: VerbContext, options: OptionValues): Promise<ResolvedSettings> {
  const { resolveSettings } = await import('@xen-replication/toolstack')
  const flags = { backend: textOption(options, 'backend'), 'mock-host': textOption(options, 'mockHost'), plugins: listOption(options, 'plugin') }
  return resolveSettings({ flags, env, cwd, configFile: textOption(options, 'config') })
}
