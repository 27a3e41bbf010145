/** Which of a device's links answers go out by. */
export class WayBack<Link extends object> {
  #link: Link | undefined;
  /** Links in whose place a later birth put another: what was read late from them says nothing about now. */
  readonly #replaced = new WeakSet<Link>();

  /** The newest one; undefined when it is gone. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Something came by this link. */
  heard(link: Link): void {
    if (this.#link === undefined || !this.#replaced.has(link)) this.#link = link;
  }

  /** A birth came by this link: it is the one in use. */
  born(link: Link): void {
    if (this.#link !== undefined) this.#replaced.add(this.#link);
    this.#replaced.delete(link);
    this.#link = link;
  }

  /** @returns whether it was the one in use */
  gone(link: Link): boolean {
    if (this.#link !== link) return false;
    this.#link = undefined;
    return true;
  }
}
