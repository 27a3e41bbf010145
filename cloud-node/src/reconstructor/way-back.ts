/** Links kept of a device that speaks by several: more than one is a connection that it left, or somebody who repeats its birth. */
const MOST = 8;

/**
 * Which of a device's links answers go out by: the one that was heard last. When that is gone, the one before it: what is read
 * late from a connection that a device has left must not make it offline.
 */
export class WayBack<Link extends object> {
  /** Those that are not gone, the one heard last at the end. */
  #links: readonly Link[] = [];

  /** Undefined when none is left. */
  get link(): Link | undefined {
    return this.#links.at(-1);
  }

  /** Something came by this link. */
  heard(link: Link): void {
    if (this.link === link) return;
    this.#links = [...this.#links.filter((other) => other !== link), link].slice(-MOST);
  }

  /** @returns whether it was the last one left */
  gone(link: Link): boolean {
    if (!this.#links.includes(link)) return false;
    this.#links = this.#links.filter((other) => other !== link);
    return this.#links.length === 0;
  }
}
