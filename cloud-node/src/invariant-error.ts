/** Our own bug: something that the code around it should have made impossible. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}
