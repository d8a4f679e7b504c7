import type { Packet } from '@xen-replication/backend-mock'
import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Output } from '../output/output.ts'

/** What the primary of the demonstration tells, a line each: what left its host for the world outside, and what xr does there. */
export type DemoLine = { readonly packet: Packet } | { readonly event: AnyObservedEvent; readonly originMs: number } | { readonly served: number }

/** Kinds of which there are too many. */
const UNTOLD: ReadonlySet<string> = new Set(['save.pages', 'save.pass-begin', 'save.pass-end', 'save.dirty'])

/** @returns how to write such lines; when nobody reads, `gone` is told */
export function demoWriter(out: Output, gone: () => void): (line: DemoLine) => void {
  return (line) => {
    if ('event' in line && UNTOLD.has(line.event.kind)) return
    out.write(`${JSON.stringify(line, (_key, part: unknown) => (part instanceof Error ? part.message : part))}\n`).catch(gone)
  }
}

/** Hands on every whole line until the other process ends. One that was cut by its death counts for nothing. */
export async function readDemoLines(from: Readable, take: (line: DemoLine) => void): Promise<void> {
  for await (const text of createInterface({ input: from })) {
    const line = parsed(text)
    if (line !== undefined) take(line)
  }
}

function parsed(text: string): DemoLine | undefined {
  try {
    return JSON.parse(text) as DemoLine
  } catch {
    return undefined
  }
}
