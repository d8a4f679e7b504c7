/** The simulated guest has found something that no kernel survives. */
export class GuestCrash extends Error {
  override readonly name = 'GuestCrash'
}
