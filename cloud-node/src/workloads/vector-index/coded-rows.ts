/**
 * Rows as an index keeps them: a code of `ResidualCoder.codeBytes` bytes and four bytes beside it. Row i of one array
 * belongs to row i of the others.
 */
export interface CodedRows {
  /** (k, codeBytes), row-major. */
  readonly codes: Uint8Array;
  /** (k), the bits of an IEEE half: a in x^ = mean + P^T (c + a u), c the row's anchor and u what its code stands for. */
  readonly scales: Uint16Array;
  /** (k), the bits of an IEEE half: a^2 <u, u> + 2 a <c, u>, in units of `ResidualCoder.termUnit`. */
  readonly terms: Uint16Array;
}
