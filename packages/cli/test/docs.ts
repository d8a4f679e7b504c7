/** tools/docs/generate.mjs, which makes what is generated in the documents. It reads the built packages. */
export interface Docs {
  readonly ERRORS_PAGE: string
  /** Paths from the root of the repository. */
  readonly documents: () => readonly string[]
  readonly textOf: (path: string) => string
  readonly freshTextOf: (path: string) => Promise<string>
}

export async function docs(): Promise<Docs> {
  return (await import(new URL('../../../tools/docs/generate.mjs', import.meta.url).href)) as Docs
}
