/** As much of MQTT 3.1.1 as a device that costs next to nothing needs, so that ten thousand fit into one process. */

const CONNECT = 0x10;
const PUBLISH = 0x30;
const SUBSCRIBE = 0x82;
const PING = 0xc0;
const RETAIN = 0x01;
const CLEAN_SESSION = 0x02;
const PROTOCOL = [0, 4, 0x4d, 0x51, 0x54, 0x54, 4];

/** Kinds of packets that a broker sends. */
export const MQTT_CONNACK = 2;
export const MQTT_PUBLISH = 3;
export const MQTT_PUBACK = 4;
export const MQTT_SUBACK = 9;

/** One packet from a broker; its body is a view of what was read. */
export interface MqttPacket {
  readonly kind: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** @param keepAliveS  0: the broker never gives it up */
export function connectPacket(clientId: string, keepAliveS: number): Buffer {
  return packet(CONNECT, [Buffer.from([...PROTOCOL, CLEAN_SESSION, ...word(keepAliveS)]), text(clientId)]);
}

export function subscribePacket(packetId: number, filter: string): Buffer {
  return packet(SUBSCRIBE, [Buffer.from(word(packetId)), text(filter), Buffer.from([0])]);
}

export function pingPacket(): Buffer {
  return Buffer.from([PING, 0]);
}

/** A message with QoS 0; with QoS 1 where it has a packet's number. */
export function publishPacket(
  topic: Buffer,
  payload: Uint8Array,
  { packetId = 0, isRetained = false }: { readonly packetId?: number; readonly isRetained?: boolean } = {},
): Buffer {
  const idBytes = packetId === 0 ? 0 : 2;
  const length = topic.length + idBytes + payload.length;
  const head = lengthBytes(length);
  const bytes = Buffer.allocUnsafe(1 + head.length + length);
  bytes[0] = PUBLISH | (packetId === 0 ? 0 : 2) | (isRetained ? RETAIN : 0);
  bytes.set(head, 1);
  let at = 1 + head.length;
  bytes.set(topic, at);
  at += topic.length;
  if (packetId !== 0) bytes.writeUInt16BE(packetId, at);
  bytes.set(payload, at + idBytes);
  return bytes;
}

/** A text with its length before it: what topics are in packets. */
export function text(value: string): Buffer {
  const utf8 = Buffer.from(value);
  return Buffer.concat([Buffer.from(word(utf8.length)), utf8]);
}

/** What a PUBLISH carries. */
export function publishPayload({ flags, body }: MqttPacket): Buffer {
  const topicEnd = 2 + body.readUInt16BE(0);
  return body.subarray((flags & 6) === 0 ? topicEnd : topicEnd + 2);
}

/** Cuts what is read into packets. */
export class MqttReader {
  #rest: Buffer = Buffer.alloc(0);

  *push(chunk: Buffer): Generator<MqttPacket> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const size = sizeOf(bytes);
      if (size === undefined || bytes.length < size.end) break;
      yield { kind: (bytes[0] ?? 0) >> 4, flags: (bytes[0] ?? 0) & 15, body: bytes.subarray(size.start, size.end) };
      bytes = bytes.subarray(size.end);
    }
    this.#rest = bytes;
  }
}

function sizeOf(bytes: Buffer): { readonly start: number; readonly end: number } | undefined {
  let length = 0;
  for (let i = 1; i < bytes.length && i <= 4; i += 1) {
    const byte = bytes[i] ?? 0;
    length += (byte & 127) * 128 ** (i - 1);
    if (byte < 128) return { start: i + 1, end: i + 1 + length };
  }
  return undefined;
}

function packet(head: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([head, ...lengthBytes(body.length)]), body]);
}

function lengthBytes(length: number): number[] {
  const bytes: number[] = [];
  for (let left = length; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) | 128);
  }
}

function word(value: number): [number, number] {
  return [value >> 8, value & 255];
}
