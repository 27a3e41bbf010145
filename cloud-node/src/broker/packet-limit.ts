/**
 * Follows the packets of an MQTT connection by their lengths alone, so that one that is too long is refused when it begins:
 * a broker keeps what came of a packet until it is whole, and a packet may claim 256 MB.
 *
 *     type u8 │ remaining length: 7 bits a byte, lowest first, 1 … 4 bytes, high bit: another follows │ the rest
 *
 * @see MQTT 3.1.1, 2.2.3
 */
export class PacketLimit {
  readonly #mostBytes: number;
  #state: "type" | "length" | "rest" = "type";
  #length = 0;
  #lengthBytes = 0;
  #restBytes = 0;
  #packets = 0;

  /** @param mostBytes  of a packet, without its first bytes */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** A packet has begun and not ended. */
  get isWithin(): boolean {
    return this.#state !== "type";
  }

  /** Packets that ended. */
  get packets(): number {
    return this.#packets;
  }

  /** Take the next bytes. @returns false for a packet that is too long, or has no length: the connection cannot go on */
  push(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === "rest") {
        const taken = Math.min(this.#restBytes, chunk.length - at);
        this.#restBytes -= taken;
        at += taken;
        if (this.#restBytes === 0) this.#end();
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#state === "type") {
        this.#state = "length";
        continue;
      }
      if (!this.#measure(byte)) return false;
    }
    return true;
  }

  #measure(byte: number): boolean {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
    this.#lengthBytes += 1;
    if (this.#length > this.#mostBytes) return false;
    if (byte < 0x80) {
      this.#restBytes = this.#length;
      this.#state = "rest";
      if (this.#restBytes === 0) this.#end();
      return true;
    }
    return this.#lengthBytes < 4;
  }

  #end(): void {
    this.#packets += 1;
    this.#state = "type";
    this.#length = 0;
    this.#lengthBytes = 0;
  }
}
