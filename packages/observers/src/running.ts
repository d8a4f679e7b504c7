import type { AnyObservedEvent } from '@xen-replication/plugin-api'

/** What is under way, as far as events have told. */
export interface RunningFacts {
  readonly verb: string
  /** Empty until it is known. */
  guest: string
}

/** Which operation an event belongs to. Operations come and go; those that ended are forgotten. */
export class Running<Facts extends RunningFacts> {
  readonly #facts = new Map<string, Facts>()
  readonly #make: (verb: string, guest: string) => Facts

  constructor(make: (verb: string, guest: string) => Facts) {
    this.#make = make
  }

  /** The operation of an event; undefined where its beginning was not seen. */
  of({ operation }: Pick<AnyObservedEvent, 'operation'>): Facts | undefined {
    return this.#facts.get(operation)
  }

  begin(operation: string, verb: string, guest: string): Facts {
    const facts = this.#make(verb, guest)
    this.#facts.set(operation, facts)
    return facts
  }

  end(operation: string): void {
    this.#facts.delete(operation)
  }
}
