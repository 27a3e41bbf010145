import { connect, type Socket } from "node:net";
import { decodeFrame, encodeFrame, formatTopic } from "@lockstep/protocol";
import type { FrameTemplate } from "./cloud-template.ts";
import {
  connectPacket,
  MQTT_CONNACK,
  MQTT_PUBACK,
  MQTT_PUBLISH,
  MQTT_SUBACK,
  MqttReader,
  pingPacket,
  publishPacket,
  publishPayload,
  subscribePacket,
  text,
} from "./light-mqtt.ts";

/** How a device's samples travel: in step, or as what people send otherwise, with QoS 1. */
export type Cargo = "lockstep" | "json" | "float32";

/** What a light device is told. */
export interface LightDeviceOptions {
  readonly port: number;
  readonly group: string;
  readonly device: string;
  /** Not 0; its own. */
  readonly nonce: number;
  readonly cargo: Cargo;
  readonly template: FrameTemplate;
  /** The body of a frame for a plain cargo. */
  plain(seq: number): Uint8Array;
}

/** What it cost on its connection. */
export interface LightTraffic {
  messages: number;
  bytesUp: number;
  bytesDown: number;
}

const EPOCH = 1;
/** Unread bytes above which its socket counts as full: what follows stays in the device. */
const FULL_BYTES = 16_384;
const RECONNECT_MS = 300;
/** Without progress for so long, it says what it holds, as real ones do. */
const STATUS_MS = 3_000;
const PACKET_IDS = 65_535;

/**
 * A device whose frames were made before: it keeps numbers, answers what the cloud asks, and sends what is due. Its ring
 * is its template, so it never drops anything.
 */
export class LightDevice {
  readonly traffic: LightTraffic = { messages: 0, bytesUp: 0, bytesDown: 0 };
  /** Frames that fell due, were sent for the first time, and are confirmed. */
  produced = 0;
  sent = 0;
  confirmed = 0;
  /** When each frame was sent first, ms. */
  readonly sentMs: number[] = [];
  isLive = false;
  readonly #options: LightDeviceOptions;
  readonly #topic: Buffer;
  #frameTopic: Buffer;
  #socket: Socket | undefined;
  #reader = new MqttReader();
  #isClosed = false;
  #progressMs = 0;
  /** Sent with QoS 1 and not answered, by seq. */
  readonly #unanswered = new Set<number>();

  constructor(options: LightDeviceOptions) {
    this.#options = options;
    this.#topic = text(`plain/${options.group}/${options.device}`);
    this.#frameTopic = text(formatTopic({ group: options.group, device: options.device, level: "frames" }));
  }

  get device(): string {
    return this.#options.device;
  }

  /** Whether what it sends piles up before the network. */
  get isBlocked(): boolean {
    return (this.#socket?.writableLength ?? 0) > FULL_BYTES;
  }

  connect(): void {
    const { device, port } = this.#options;
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket = socket;
    this.#reader = new MqttReader();
    socket.on("connect", () => this.#write(connectPacket(device, 0)));
    socket.on("data", (chunk) => {
      this.traffic.bytesDown += chunk.length;
      for (const packet of this.#reader.push(chunk)) {
        if (packet.kind === MQTT_CONNACK) this.#greet();
        else if (packet.kind === MQTT_SUBACK) this.#introduce();
        else if (packet.kind === MQTT_PUBACK) this.#answered(packet.body.readUInt16BE(0));
        else if (packet.kind === MQTT_PUBLISH) this.#hear(new Uint8Array(publishPayload(packet)));
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.isLive = false;
      if (!this.#isClosed) setTimeout(() => this.connect(), RECONNECT_MS);
    });
  }

  /** Send what is due, as far as `window` frames may be on their way. @returns frames sent for the first time */
  sendDue(window: number, nowMs: number): number {
    const end = Math.min(this.produced, this.confirmed + window);
    let count = 0;
    while (this.isLive && this.sent < end && !this.isBlocked) {
      this.sentMs[this.sent] = nowMs;
      this.#sendFrame(this.sent);
      this.sent += 1;
      count += 1;
    }
    return count;
  }

  /** Say what it holds where nothing was confirmed for long. */
  remind(nowMs: number): void {
    const { cargo, nonce } = this.#options;
    if (cargo !== "lockstep" || !this.isLive || this.sent === this.confirmed) return;
    if (nowMs - this.#progressMs < STATUS_MS) return;
    this.#progressMs = nowMs;
    const held = { epoch: EPOCH, oldest: this.confirmed, next: this.sent, evicted: 0, ringFill: 1 };
    this.#publish(this.#frameTopic, encodeFrame({ kind: "status", nonce, ...held, timeUs: Math.round(nowMs * 1000) }));
  }

  ping(): void {
    if (this.isLive) this.#write(pingPacket());
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #greet(): void {
    const { cargo, group, device } = this.#options;
    if (cargo === "lockstep") {
      this.#write(subscribePacket(1, formatTopic({ group, device, level: "control" })));
      return;
    }
    this.isLive = true;
    for (const seq of [...this.#unanswered].sort((a, b) => a - b)) this.#sendFrame(seq);
  }

  #introduce(): void {
    const { group, device, nonce, template } = this.#options;
    const topic = text(formatTopic({ group, device, level: "birth" }));
    const packet = publishPacket(topic, template.birthOf(device, nonce), { packetId: 1, isRetained: true });
    this.traffic.messages += 1;
    this.#write(packet);
  }

  #hear(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame.kind === "welcome") {
      this.#frameTopic = text(`l/${frame.alias}`);
      this.#confirm(frame.through);
      this.isLive = true;
      for (let seq = this.confirmed; seq < this.sent; seq += 1) this.#sendFrame(seq);
    } else if (frame.kind === "ack") {
      this.#confirm(frame.through);
      for (const { from, count } of frame.missing) {
        for (let seq = from; seq < Math.min(from + count, this.sent); seq += 1) this.#sendFrame(seq);
      }
    }
  }

  #confirm(through: number): void {
    if (through > this.confirmed) this.#progressMs = performance.now();
    this.confirmed = Math.max(this.confirmed, through);
  }

  #answered(packetId: number): void {
    if (this.#options.cargo === "lockstep") return;
    for (const seq of this.#unanswered) {
      if (seq % PACKET_IDS === packetId - 1) this.#unanswered.delete(seq);
    }
    this.confirmed = this.sent - this.#unanswered.size;
  }

  #sendFrame(seq: number): void {
    const { cargo, template, device, plain } = this.#options;
    if (cargo === "lockstep") {
      this.#publish(this.#frameTopic, template.frameOf(device, seq));
      return;
    }
    this.#unanswered.add(seq);
    this.traffic.messages += 1;
    this.#write(publishPacket(this.#topic, plain(seq), { packetId: (seq % PACKET_IDS) + 1 }));
  }

  #publish(topic: Buffer, payload: Uint8Array): void {
    this.traffic.messages += 1;
    this.#write(publishPacket(topic, payload));
  }

  #write(bytes: Buffer): void {
    this.traffic.bytesUp += bytes.length;
    this.#socket?.write(bytes);
  }
}
