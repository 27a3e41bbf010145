import { aliasTopic, formatTopic, MAX_FRAME_BYTES, mqttClientId, type TopicLevel } from "@lockstep/protocol";
import type { AuthenticateError, Client, ConnectPacket, PublishPacket, Subscription } from "aedes";
import type { KnownDevices } from "../access/device-book.ts";
import type { Counters } from "../counters.ts";

export interface BrokerAccessOptions {
  readonly group: string;
  readonly speakers: KnownDevices;
  /** The short topic's name that a device was granted; undefined for one that never was here. */
  aliasOf(device: string): string | undefined;
  readonly counters: Counters;
}

/** CONNACK's return codes. @see MQTT 3.1.1, table 3.1 */
const CODES = { identifier: 2, password: 4, "not-authorized": 5 } as const;

/** A connection, a message or a subscription that is not this client's to have. */
class MqttRefusal extends Error implements AuthenticateError {
  override readonly name = "MqttRefusal";
  readonly returnCode: number;

  constructor(reason: keyof typeof CODES, message: string) {
    super(message);
    this.returnCode = CODES[reason];
  }
}

/** Who a client is: the node itself, a device, or anybody while the book is open. */
type Role =
  | { readonly kind: "node" }
  | { readonly kind: "device"; readonly id: string; readonly grant: string | undefined; readonly topics: OwnTopics }
  | { readonly kind: "anybody" };

/** Where a device speaks and hears. */
type OwnTopics = Readonly<Record<TopicLevel, string>>;

/** What a client wants, before it has said who it is. */
interface Wish {
  readonly certificate: string | undefined;
  will: ConnectPacket["will"];
  isClean: boolean;
}

/** Lets each client of the embedded broker do what is its own: the hooks of aedes. */
export class BrokerAccess {
  readonly #options: BrokerAccessOptions;
  readonly #roles = new WeakMap<Client, Role>();
  readonly #wishes = new WeakMap<Client, Wish>();

  constructor(options: BrokerAccessOptions) {
    this.#options = options;
  }

  /** A stream of this process, which needs no log-in. */
  trust(client: Client): void {
    this.#roles.set(client, { kind: "node" });
  }

  /** A connection from outside. @param certificate  the name in the one that it showed */
  expect(client: Client, certificate: string | undefined): void {
    this.#wishes.set(client, { certificate, will: undefined, isClean: true });
  }

  /** Whether a client may stay, as the book is now. */
  mayStay(client: Client): boolean {
    const { speakers } = this.#options;
    const role = this.#roles.get(client);
    if (role === undefined || role.kind === "node") return true;
    return speakers.isOpen || (role.kind === "device" && speakers.grantOf(role.id) === role.grant);
  }

  /** Before the log-in: what comes with it. */
  connecting(client: Client, packet: ConnectPacket): void {
    const wish = this.#wishes.get(client);
    if (wish === undefined) return;
    wish.will = packet.will;
    wish.isClean = packet.clean !== false;
  }

  /** @returns why a client is not let in; undefined when it is */
  login(client: Client, user: string | undefined, password: Buffer | undefined): AuthenticateError | undefined {
    const { speakers, counters } = this.#options;
    if (this.#roles.get(client)?.kind === "node") return undefined;
    // Who was revoked a moment ago is not let in, and who was just added is.
    speakers.refresh();
    if (speakers.isOpen) {
      this.#roles.set(client, { kind: "anybody" });
      return undefined;
    }
    const wish = this.#wishes.get(client);
    const id = this.#identify(wish?.certificate, user, password);
    const refusal = id === undefined ? unknownLogin() : this.#checkWish(id, client.id, wish);
    if (refusal !== undefined || id === undefined) {
      counters.add("refused.mqtt-login");
      return refusal;
    }
    this.#roles.set(client, { kind: "device", id, grant: speakers.grantOf(id), topics: this.#topicsOf(id) });
    return undefined;
  }

  /** @returns why a message is not taken; undefined when it is */
  publish(client: Client | null, packet: PublishPacket): Error | undefined {
    // The broker's own housekeeping of wills, each of which was looked at when its client came.
    if (client === null) return undefined;
    const role = this.#roles.get(client);
    if (role?.kind === "node") return undefined;
    const refusal = role?.kind === "anybody" ? this.#checkAnybody(packet) : role && this.#checkMessage(role, packet);
    if (refusal !== undefined) this.#options.counters.add("refused.mqtt-publish");
    return role === undefined ? unknownLogin() : refusal;
  }

  /** Whether a client may hear a topic. */
  maySubscribe(client: Client, { topic }: Subscription): boolean {
    const role = this.#roles.get(client);
    if (role?.kind === "node" || role?.kind === "anybody") return true;
    if (role?.topics.control === topic) return true;
    this.#options.counters.add("refused.mqtt-subscribe");
    return false;
  }

  /** @returns the device that has proved who it is */
  #identify(certificate: string | undefined, user: string | undefined, password: Buffer | undefined) {
    const { speakers } = this.#options;
    if (certificate !== undefined) {
      const isAgreed = user === undefined || user === certificate;
      return isAgreed && speakers.grantOf(certificate) !== undefined ? certificate : undefined;
    }
    return speakers.admits(user ?? "", password?.toString("utf8") ?? "") ? user : undefined;
  }

  #checkWish(device: string, clientId: string, wish: Wish | undefined): AuthenticateError | undefined {
    const { group } = this.#options;
    const expected = mqttClientId(group, device);
    // A broker ends a session when another client comes with its name.
    if (clientId !== expected) return new MqttRefusal("identifier", `${device} connects as ${expected} alone`);
    if (wish?.isClean === false)
      return new MqttRefusal("not-authorized", "no session is kept: connect with a clean one");
    const { will } = wish ?? {};
    if (will === undefined || will === null) return undefined;
    const isOwn = will.topic === this.#topicsOf(device).presence && will.payload.length <= MAX_FRAME_BYTES;
    return isOwn ? undefined : new MqttRefusal("not-authorized", `a will to ${will.topic}`);
  }

  #checkAnybody({ topic }: PublishPacket): Error | undefined {
    // Connected while everybody might speak; its end brings its last will, which nobody looked at.
    if (!this.#options.speakers.isOpen) return unknownLogin();
    return topic.startsWith("$SYS/") ? new MqttRefusal("not-authorized", "topics of the broker itself") : undefined;
  }

  #checkMessage(
    { id, topics }: Role & { readonly kind: "device" },
    { topic, retain, qos, payload }: PublishPacket,
  ): Error | undefined {
    // What a node must find when it comes back.
    const isKept = topic === topics.birth || topic === topics.presence;
    // Whether it may use jobs the node says, which has an answer for who may not.
    const isFleeting = topic === topics.frames || topic === topics.jobs || this.#isAlias(id, topic);
    if (!isKept && !isFleeting) {
      return new MqttRefusal("not-authorized", `${id} may not publish to ${topic}`);
    }
    if (retain && !isKept) return new MqttRefusal("not-authorized", `${topic} is not retained`);
    if (qos === 2) return new MqttRefusal("not-authorized", "QoS 2 is not taken");
    if (payload.length > MAX_FRAME_BYTES)
      return new MqttRefusal("not-authorized", `${payload.length} bytes are no frame`);
    return undefined;
  }

  #isAlias(device: string, topic: string): boolean {
    const alias = this.#options.aliasOf(device);
    return alias !== undefined && topic === aliasTopic(alias);
  }

  #topicsOf(device: string): OwnTopics {
    const { group } = this.#options;
    const topic = (level: TopicLevel) => formatTopic({ group, device, level });
    const [birth, frames, control] = [topic("birth"), topic("frames"), topic("control")];
    return { birth, frames, control, presence: topic("presence"), jobs: topic("jobs") };
  }
}

function unknownLogin(): MqttRefusal {
  return new MqttRefusal("password", "no device with this password");
}
