/**
 * A `RawDevice` that writes down all that happens to it, and all that it answers, in the form that c-host-replay.c reads
 * and writes: what the C host must answer to the same script.
 */
import { RawDevice, type RawDeviceOptions } from "./raw-device.ts";

export class RecordedDevice {
  readonly device: RawDevice;
  readonly #config: Uint8Array;
  readonly #script: Uint8Array[] = [];
  readonly #answers: Uint8Array[] = [];
  #toldMs = 0;

  constructor(options: RawDeviceOptions) {
    this.device = new RawDevice(options);
    const { channels, e, frameSamples, lattice = 1, silenceMs = 5_000, mtu = 0 } = options;
    const { ringBytes = 16_384, outBytes = 1_536, nonce = 0xdecafbad, epoch = 0, ring } = options;
    const memory = [mtu, ringBytes, outBytes, nonce, epoch, ring ? 1 : 0];
    this.#config = Buffer.concat([channels, e, lattice, frameSamples, silenceMs, ...memory].map(u32));
    if (ring) this.#script.push(ring);
    this.#answers.push(u32(this.device.opened));
  }

  /** What the C host is to read. @param inParts  whether it takes messages in parts, from a buffer for their heads alone */
  script(inParts = false): Uint8Array {
    return Buffer.concat([this.#config, u32(inParts ? 1 : 0), ...this.#script]);
  }

  /** What it must write. */
  answers(): Uint8Array {
    return Buffer.concat(this.#answers);
  }

  sample(samples: readonly number[], statuses: readonly number[] = []): number {
    const given = samples.map((_, c) => statuses[c] ?? 0);
    this.#tell("S", ...samples.map(u32), Uint8Array.from(given));
    return this.#heard(this.device.sample(samples, statuses));
  }

  receive(message: Uint8Array): number {
    this.#tell("R", u32(message.length), message);
    return this.#heard(this.device.receive(message));
  }

  poll(): { topic: number; bytes: Uint8Array }[] {
    this.#tell("P");
    const messages = this.device.poll();
    for (const { topic, bytes } of messages) this.#answerMessage(topic, bytes);
    this.#heard(0);
    return messages;
  }

  presence(online: number): void {
    this.#tell("O", u32(online));
    const { core } = this.device;
    const length = core.linkPresence(online);
    const { topic, message } = this.device.view;
    this.#answerMessage(topic, this.device.bytes(message, length).slice());
  }

  flush(): void {
    this.#tell("F");
    this.#heard(this.device.core.linkFlush(BigInt(this.device.nowMs) * 1000n, this.device.nowMs));
  }

  connect(): void {
    this.#tell("C");
    this.device.core.linkConnected(this.device.nowMs);
  }

  disconnect(): void {
    this.#tell("D");
    this.device.core.linkDisconnected();
  }

  ringImage(): Uint8Array {
    this.#tell("I");
    const image = this.device.ringImage();
    this.#answers.push(image);
    return image;
  }

  #tell(what: string, ...facts: Uint8Array[]): void {
    if (this.device.nowMs !== this.#toldMs) {
      this.#script.push(Buffer.from("T"), u32(this.device.nowMs));
      this.#toldMs = this.device.nowMs;
    }
    this.#script.push(Buffer.from(what), ...facts);
  }

  #heard(status: number): number {
    this.#answers.push(u32(status));
    return status;
  }

  #answerMessage(topic: number, bytes: Uint8Array): void {
    this.#answers.push(u32(bytes.length), Uint8Array.of(topic), bytes);
  }
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
