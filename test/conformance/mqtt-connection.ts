import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  connectPacket,
  type MqttConnect,
  type MqttMessage,
  type MqttPacket,
  PACKET,
  plainPacket,
  publishPacket,
  readPacket,
  readPublish,
  subscribePacket,
} from "./mqtt-packets.ts";

/** A broker did not do what was waited for. */
export class BehaviourError extends Error {
  override readonly name = "BehaviourError";
  readonly code: "no-answer" | "otherwise";

  constructor(code: "no-answer" | "otherwise", detail: string) {
    super(`broker: ${code === "no-answer" ? "no answer" : "behaves otherwise"}: ${detail}`);
    this.code = code;
  }
}

/** Reached only when a broker does not do what it should. */
export const ANSWER_MS = 10_000;
const DEFAULTS: MqttConnect = {
  clientId: "",
  keepAliveS: 60,
  isClean: true,
  protocolLevel: 4,
  will: undefined,
};

/** One connection to a broker, of which a test sees every packet. It answers nothing but messages of QoS 1, while it may. */
export class MqttConnection {
  readonly #socket: Socket;
  readonly #packets: MqttPacket[] = [];
  readonly #messages: MqttMessage[] = [];
  readonly #waiting = new Set<() => void>();
  #rest: Buffer = Buffer.alloc(0);
  #nextId = 1;
  #isClosed = false;
  /** Whether messages of QoS 1 are acknowledged. */
  acknowledges = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Connect without waiting for more than the socket. */
  static async open(port: number, options: Partial<MqttConnect> & { readonly clientId: string }) {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    const connection = new MqttConnection(socket);
    socket.write(connectPacket({ ...DEFAULTS, ...options }));
    return connection;
  }

  /**
   * Connect, and be taken.
   *
   * @throws {BehaviourError} when the broker refuses
   */
  static async connect(port: number, options: Partial<MqttConnect> & { readonly clientId: string }) {
    const connection = await MqttConnection.open(port, options);
    const answer = await connection.answer();
    if (answer?.code !== 0) throw new BehaviourError("otherwise", `CONNACK ${answer?.code} for ${options.clientId}`);
    if (answer.isSessionPresent) throw new BehaviourError("otherwise", `a session is there for ${options.clientId}`);
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The answer to the first packet; undefined when the connection ended instead. */
  async answer(): Promise<{ readonly code: number; readonly isSessionPresent: boolean } | undefined> {
    const packet = await this.#packet(PACKET.connack);
    if (packet === undefined) return undefined;
    return { code: packet.body[1] ?? 0, isSessionPresent: packet.body[0] === 1 };
  }

  /** @returns what was granted, in the filters' order */
  async subscribe(filters: Readonly<Record<string, number>>): Promise<number[]> {
    this.#socket.write(subscribePacket(this.#id(), filters));
    const packet = await this.#packet(PACKET.suback);
    if (packet === undefined) throw new BehaviourError("otherwise", `closed at SUBSCRIBE ${Object.keys(filters)}`);
    return [...packet.body.subarray(2)];
  }

  /** Publish; with QoS 1 until it is acknowledged. */
  async publish(
    topic: string,
    payload: Uint8Array | string,
    { qos = 0, isRetained = false, isDuplicate = false, id = 0 } = {},
  ): Promise<void> {
    const number = qos === 0 ? 0 : id === 0 ? this.#id() : id;
    const bytes = Buffer.from(payload as Uint8Array);
    this.#socket.write(publishPacket({ topic, payload: bytes, qos, isRetained, isDuplicate, id: number }));
    if (qos === 0) return;
    const ack = await this.#packet(PACKET.puback, number);
    if (ack === undefined) throw new BehaviourError("otherwise", `closed at PUBLISH to ${topic}`);
  }

  async ping(): Promise<void> {
    this.#socket.write(plainPacket(PACKET.pingreq));
    if ((await this.#packet(PACKET.pingresp)) === undefined) throw new BehaviourError("otherwise", "closed at PINGREQ");
  }

  /** The next message. @throws {BehaviourError} when none comes */
  async message(): Promise<MqttMessage> {
    const message = await this.#until(() => this.#messages.shift(), ANSWER_MS);
    if (message === undefined) throw new BehaviourError("no-answer", this.#isClosed ? "closed" : "no message came");
    return message;
  }

  /** Messages that came; a ping makes sure that the broker has nothing before it to say. */
  async settledMessages(quietMs = 0): Promise<MqttMessage[]> {
    await this.ping();
    if (quietMs > 0) await new Promise((resolve) => setTimeout(resolve, quietMs));
    return this.#messages.splice(0);
  }

  /** Until the broker ends the connection. @returns false when it does not */
  async closed(limitMs = ANSWER_MS): Promise<boolean> {
    await this.#until(() => (this.#isClosed ? true : undefined), limitMs);
    return this.#isClosed;
  }

  /** Take nothing from the socket any more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Say good-bye. */
  async disconnect(): Promise<void> {
    if (this.#isClosed) return;
    this.#socket.end(plainPacket(PACKET.disconnect));
    await this.closed();
  }

  /** Break the connection without a word. */
  destroy(): void {
    this.#socket.resetAndDestroy();
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (let found = readPacket(this.#rest); found !== undefined; found = readPacket(this.#rest)) {
      this.#rest = this.#rest.subarray(found.end);
      if (found.packet.type !== PACKET.publish) this.#packets.push(found.packet);
      else this.#deliver(readPublish(found.packet));
    }
    this.#wake();
  }

  #deliver(message: MqttMessage): void {
    this.#messages.push(message);
    if (message.qos === 1 && this.acknowledges) this.#socket.write(plainPacket(PACKET.puback, message.id));
  }

  /** Of a type, and with a number where one is given; undefined when the connection ends first. */
  async #packet(type: number, id?: number): Promise<MqttPacket | undefined> {
    const packet = await this.#until(() => {
      const at = this.#packets.findIndex(
        (one) => one.type === type && (id === undefined || one.body.readUInt16BE(0) === id),
      );
      return at < 0 ? undefined : this.#packets.splice(at, 1)[0];
    }, ANSWER_MS);
    if (packet === undefined && !this.#isClosed) throw new BehaviourError("no-answer", `no packet of type ${type}`);
    return packet;
  }

  async #until<T>(look: () => T | undefined, limitMs: number): Promise<T | undefined> {
    const endMs = performance.now() + limitMs;
    for (;;) {
      const found = look();
      const leftMs = endMs - performance.now();
      if (found !== undefined || this.#isClosed || leftMs <= 0) return found;
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, leftMs);
        this.#waiting.add(done);
      });
    }
  }

  #wake(): void {
    for (const done of this.#waiting) done();
  }

  #id(): number {
    const id = this.#nextId;
    this.#nextId = (id % 65_535) + 1;
    return id;
  }
}
