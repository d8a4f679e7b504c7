/** Byte of a console ring that says whether the other end is connected. Source: public io/console.h, xencons_interface. */
const CONNECTION = 0xc10
const DISCONNECTED = 1

/** Has the guest connect its console anew. */
export function disconnectConsole(ring: Uint8Array): void {
  ring[CONNECTION] = DISCONNECTED
}
