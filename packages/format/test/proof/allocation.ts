const counted = ['ArrayBuffer', 'Uint8Array', 'Uint32Array', 'Float64Array'] as const

/** Bytes of all arrays made by length while `run` runs, whether freed since or not. Nothing else may run meanwhile. */
export async function allocatedBy(run: () => Promise<unknown>): Promise<number> {
  const originals = counted.map((name) => [name, globalThis[name]] as const)
  let bytes = 0
  for (const [name, original] of originals) {
    globalThis[name] = new Proxy<object>(original, {
      construct(target, args: unknown[], self) {
        const made = Reflect.construct(target as typeof Uint8Array, args, self === globalThis[name] ? original : self) as Uint8Array
        if (typeof args[0] === 'number') bytes += made.byteLength
        return made
      },
    }) as never
  }
  try {
    await run()
  } finally {
    for (const [name, original] of originals) globalThis[name] = original as never
  }
  return bytes
}
