/** The node's clock, as far as it was told: what is shown has one idea of now, whatever the browser's clock says. */
export class PageClock {
  #nodeUs = Number.NaN;
  #atMs = 0;
  #heardMs = performance.now();
  #heardUnixMs = Date.now();

  /** Something came from the node. @param nowUs  its Unix time, µs, where it said so */
  hear(nowUs: number | undefined): void {
    this.#heardMs = performance.now();
    this.#heardUnixMs = Date.now();
    if (nowUs === undefined) return;
    this.#nodeUs = nowUs;
    this.#atMs = this.#heardMs;
  }

  /** The node's Unix time now, µs; the browser's where the node has not said it yet. */
  nowUs(): number {
    if (Number.isNaN(this.#nodeUs)) return Date.now() * 1000;
    return this.#nodeUs + (performance.now() - this.#atMs) * 1000;
  }

  /** How long nothing came, ms. */
  silentMs(): number {
    return performance.now() - this.#heardMs;
  }

  /** When something came last, Unix time, µs. */
  heardUs(): number {
    return this.#heardUnixMs * 1000;
  }
}
