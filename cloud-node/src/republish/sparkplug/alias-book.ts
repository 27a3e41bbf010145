/** Numbers that stand for the names of metrics: unique in an edge node, and never given to another name. */
export class AliasBook {
  readonly #aliases = new Map<string, number>();

  /** @param device  "" for metrics of the edge node itself */
  of(device: string, metric: string): number {
    // Device names have no slash, so no two pairs are written alike.
    const key = `${device}/${metric}`;
    const known = this.#aliases.get(key);
    if (known !== undefined) return known;
    const alias = this.#aliases.size + 1;
    this.#aliases.set(key, alias);
    return alias;
  }
}
