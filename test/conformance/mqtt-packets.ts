/** What MQTT 3.1.1 puts on a connection, written and read by hand: a client library would hide what a broker does. */

/** Packet types, MQTT 3.1.1 section 2.2.1. */
export const PACKET = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

/** One packet: what is in its first byte, and what comes behind its length. */
export interface MqttPacket {
  readonly type: number;
  /** 4 bits. */
  readonly flags: number;
  readonly body: Buffer;
}

/** A message as it is published or delivered. */
export interface MqttMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly isRetained: boolean;
  readonly isDuplicate: boolean;
  /** 1 … 65,535; 0 for QoS 0. */
  readonly id: number;
}

/** What a connection begins with. */
export interface MqttConnect {
  readonly clientId: string;
  readonly keepAliveS: number;
  readonly isClean: boolean;
  /** 4 for MQTT 3.1.1, 5 for MQTT 5. */
  readonly protocolLevel: number;
  readonly will: Pick<MqttMessage, "topic" | "payload" | "qos" | "isRetained"> | undefined;
}

const CONTINUES = 0x80;
const MQTT_5 = 5;
/** No properties. */
const EMPTY = Buffer.from([0]);

export function writePacket({ type, flags, body }: MqttPacket): Buffer {
  const length: number[] = [];
  for (let rest = body.length; ; rest >>= 7) {
    length.push((rest & 0x7f) | (rest > 0x7f ? CONTINUES : 0));
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([(type << 4) | flags, ...length]), body]);
}

/** The first packet of what came, and where the next begins; undefined while it is not whole. */
export function readPacket(bytes: Buffer): { readonly packet: MqttPacket; readonly end: number } | undefined {
  let [length, at, shift] = [0, 1, 0];
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    at += 1;
    length |= (byte & 0x7f) << shift;
    shift += 7;
    if ((byte & CONTINUES) === 0) break;
  }
  if (bytes.length < at + length) return undefined;
  const first = bytes[0] ?? 0;
  return { packet: { type: first >> 4, flags: first & 15, body: bytes.subarray(at, at + length) }, end: at + length };
}

/** Section 3.1. */
export function connectPacket({ clientId, keepAliveS, isClean, protocolLevel, will }: MqttConnect): Buffer {
  const flags = (isClean ? 2 : 0) | (will === undefined ? 0 : 4 | (will.qos << 3) | (will.isRetained ? 32 : 0));
  const properties = protocolLevel === MQTT_5 ? [EMPTY] : [];
  const body = Buffer.concat([
    text("MQTT"),
    Buffer.from([protocolLevel, flags]),
    number(keepAliveS),
    ...properties,
    text(clientId),
    ...(will === undefined ? [] : [...properties, text(will.topic), number(will.payload.length), will.payload]),
  ]);
  return writePacket({ type: PACKET.connect, flags: 0, body });
}

/** Section 3.3. */
export function publishPacket({ topic, payload, qos, isRetained, isDuplicate, id }: MqttMessage): Buffer {
  const flags = (isDuplicate ? 8 : 0) | (qos << 1) | (isRetained ? 1 : 0);
  const body = Buffer.concat([text(topic), ...(qos === 0 ? [] : [number(id)]), payload]);
  return writePacket({ type: PACKET.publish, flags, body });
}

/** Mirrors `publishPacket`. */
export function readPublish({ flags, body }: MqttPacket): MqttMessage {
  const qos = (flags >> 1) & 3;
  const behindTopic = 2 + body.readUInt16BE(0);
  const isNumbered = qos > 0;
  return {
    topic: body.toString("utf8", 2, behindTopic),
    payload: body.subarray(behindTopic + (isNumbered ? 2 : 0)),
    qos,
    isRetained: (flags & 1) !== 0,
    isDuplicate: (flags & 8) !== 0,
    id: isNumbered ? body.readUInt16BE(behindTopic) : 0,
  };
}

/** Section 3.8. */
export function subscribePacket(id: number, filters: Readonly<Record<string, number>>): Buffer {
  const parts = Object.entries(filters).flatMap(([filter, qos]) => [text(filter), Buffer.from([qos])]);
  return writePacket({ type: PACKET.subscribe, flags: 2, body: Buffer.concat([number(id), ...parts]) });
}

/** A packet that carries nothing but a packet's number, or nothing at all. */
export function plainPacket(type: number, id?: number): Buffer {
  return writePacket({ type, flags: 0, body: id === undefined ? Buffer.alloc(0) : number(id) });
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
