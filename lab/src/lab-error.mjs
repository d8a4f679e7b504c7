/** Something the lab cannot do: what, and what to do about it. */
export class LabError extends Error {
  name = 'LabError'
  /** @param {string} what @param {string} hint */
  constructor(what, hint) {
    super(what)
    this.hint = hint
  }
}
