/** Lets through so much a second on average, and a burst at once; starts full. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  /** @param perSecond  > 0 @param burst  most at once, > 0 */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Whether `cost` could be taken now. */
  has(cost: number, nowMs: number): boolean {
    // A clock that went back gives nothing, and takes nothing.
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs / 1000) * this.#perSecond);
    this.#atMs = nowMs;
    return this.#tokens >= cost;
  }

  /** Take it; ask `has` first. */
  take(cost: number): void {
    this.#tokens -= cost;
  }
}
