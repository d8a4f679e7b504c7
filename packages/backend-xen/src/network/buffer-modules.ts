/** Modules of the kernel with which packets are held back. */
const MODULES = ['ifb', 'sch_plug', 'sch_ingress', 'cls_u32', 'act_mirred'] as const

/** How files are read. @returns undefined for one that cannot be. */
type Read = (path: string) => Promise<string | undefined>

/**
 * Which of them a kernel has not: neither built in nor as a file to load.
 *
 * @param release of the kernel, as `uname -r` says.
 */
export async function lackingModules(read: Read, release: string): Promise<readonly string[]> {
  const lists = await Promise.all(['modules.dep', 'modules.builtin'].map((name) => read(`/lib/modules/${release}/${name}`)))
  const known = new Set(lists.flatMap((text) => [...(text ?? '').matchAll(/^[^:\s]*?([^/:\s]+)\.ko/gm)].map(([, name = '']) => name.replaceAll('-', '_'))))
  return MODULES.filter((name) => !known.has(name))
}
