/** What a primary host application last said of itself. A word that is older than the last one is not heard. */
export class PrimaryHost {
  #isOnline = false;
  #saidMs = Number.NEGATIVE_INFINITY;

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Hear a STATE message. @returns whether it changed anything; one that is none changes nothing */
  hear(payload: Uint8Array): boolean {
    const said = readState(payload);
    if (said === undefined || said.timestamp < this.#saidMs) return false;
    this.#saidMs = said.timestamp;
    const before = this.#isOnline;
    this.#isOnline = said.online;
    return before !== said.online;
  }

  /** On another connection it has to say so again, by whatever clock it has then. */
  forget(): void {
    this.#isOnline = false;
    this.#saidMs = Number.NEGATIVE_INFINITY;
  }
}

function readState(payload: Uint8Array): { readonly online: boolean; readonly timestamp: number } | undefined {
  try {
    const said: unknown = JSON.parse(new TextDecoder("utf8", { fatal: true }).decode(payload));
    if (typeof said !== "object" || said === null || !("online" in said) || !("timestamp" in said)) return undefined;
    const { online, timestamp } = said;
    return typeof online === "boolean" && typeof timestamp === "number" ? { online, timestamp } : undefined;
  } catch {
    return undefined;
  }
}
