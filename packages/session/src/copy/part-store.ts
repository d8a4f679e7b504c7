/** Where a transfer that may be interrupted is collected: a file, mostly. */
export interface PartStore {
  /** The notes of an earlier transfer; undefined when there is none. */
  notes(): Promise<string | undefined>
  /** Opens what is there, cut to `length` bytes; 0 begins anew. @returns its length, which is less when there is less */
  open(length: number): Promise<number>
  /** Some bytes from `at` of what is there; undefined at the end. */
  read(at: number, max: number): Promise<Uint8Array | undefined>
  append(bytes: Uint8Array): Promise<void>
  /** Notes how far it is, all at once or not at all. They hold a key: nobody else may read them. */
  note(notes: string): Promise<void>
  /** All is there: makes it safe, gives it its name and forgets the notes. */
  finish(): Promise<void>
  /** Lets go of it; what is there stays. May be called twice. */
  close(): Promise<void>
}
