import type { AnyObservedEvent, ObservedEvent, Strategy, Role } from '@xen-replication/plugin-api'
import { defineRole, go } from '@xen-replication/plugin-api'
import { expectTypeOf } from 'vitest'

declare module '@xen-replication/plugin-api' {
  interface ObservedEvents {
    'acme.flushed': { readonly rows: number }
  }
}

// A plugin's own kind is one of those an observer may see, and its payload is typed.
expectTypeOf<ObservedEvent<'acme.flushed'>['data']>().toEqualTypeOf<{ readonly rows: number }>()
export function rows(event: AnyObservedEvent): number {
  return event.kind === 'acme.flushed' ? event.data.rows : event.kind === 'save.pages' ? event.data.sent : 0
}

// Roles of any kind go into a strategy.
expectTypeOf<Strategy['primary']>().toEqualTypeOf<Role>()
defineRole({ table: { a: { x: go('b') }, b: {} }, start: 'a', begin: 'x', lost: 'x', effects: () => ({}) })
// @ts-expect-error a start that is no state
defineRole({ table: { a: { x: go('b') }, b: {} }, start: 'c', begin: 'x', lost: 'x', effects: () => ({}) })
// @ts-expect-error a move to a state that is missing
defineRole({ table: { a: { x: go('b') } }, start: 'a', begin: 'x', lost: 'x', effects: () => ({}) })
// @ts-expect-error an effect of its own without anybody to perform it
defineRole({ table: { a: { x: go('b', 'pause') }, b: {} }, start: 'a', begin: 'x', lost: 'x', effects: () => ({}) })
