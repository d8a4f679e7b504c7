/** One end of the traffic. */
export interface Endpoint {
  readonly saw: readonly { readonly saw: string; readonly text?: string }[]
  texts(kind: string): readonly string[]
  send(family: 4 | 6, to: string, text: string): Promise<void>
  connect(to: string): Promise<void>
  write(text: string): Promise<void>
}

export interface Network {
  readonly vif: string
  readonly ns: { readonly guest: string; readonly host: string; readonly outside: string }
  readonly guest: Endpoint
  readonly outside: Endpoint
  knowsGuest(family: 4 | 6): boolean
  packetsInto(device: string): number
  leftOver(): readonly string[]
  remove(this: void): Promise<void>
}

export const addresses: Readonly<Record<'guest' | 'outside', Readonly<Record<4 | 6, string>>>>
export function namespacesAllowed(): boolean
export function makeNetwork(options?: { readonly neighbours?: 'known' | 'unknown' }): Promise<Network>
export function eventually(what: string, isSo: () => boolean | Promise<boolean>, limitMs?: number): Promise<void>
export const QUIET_MS: number
export function quiet(): Promise<void>
