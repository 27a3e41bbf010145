/** Rows as they are shown while somebody points at them, and how many stand elsewhere by now. */
export interface HeldRows<Row> {
  readonly rows: readonly Row[];
  /** Rows that the order of now puts elsewhere, or leaves out. */
  readonly moved: number;
}

/**
 * Keeps rows where they are while pointer or focus is in the table: what a person is about to press does not move away.
 * Their cells stay fresh.
 */
export class RowHold<Row extends { readonly id: string }> {
  #order: readonly string[] | undefined;
  readonly #known = new Map<string, Row>();

  /**
   * The rows to show.
   *
   * @param fresh  rows in the order of now
   * @param isHeld  whether somebody points at the table
   */
  show(fresh: readonly Row[], isHeld: boolean): HeldRows<Row> {
    if (!isHeld || this.#order === undefined) return this.release(fresh);
    for (const row of fresh) this.#known.set(row.id, row);
    const rows = this.#order.flatMap((id) => this.#known.get(id) ?? []);
    const moved = rows.filter((row, at) => fresh[at]?.id !== row.id).length;
    return { rows, moved };
  }

  /** Let every row go where it belongs now. */
  release(fresh: readonly Row[]): HeldRows<Row> {
    this.#known.clear();
    for (const row of fresh) this.#known.set(row.id, row);
    this.#order = fresh.map(({ id }) => id);
    return { rows: fresh, moved: 0 };
  }
}
