/** Packets of MQTT 3.1.1, written byte by byte: what a client library would never send can be made of them. */

const CLEAN_WITH_USER_AND_PASSWORD = 0xc2;
const NO_KEEP_ALIVE = [0, 0];

/** A log-in. */
export function connectPacket(clientId: string, user: string, password: string): Buffer {
  const head = [...text("MQTT"), 4, CLEAN_WITH_USER_AND_PASSWORD, ...NO_KEEP_ALIVE];
  return packet(0x10, Buffer.from([...head, ...text(clientId), ...text(user), ...text(password)]));
}

/** A message of QoS 1. */
export function publishPacket(topic: string, payload: Uint8Array): Buffer {
  return packet(0x32, Buffer.concat([Buffer.from([...text(topic), 0, 7]), payload]));
}

/** A packet's first bytes and the rest. @see MQTT 3.1.1, 2.2.3 */
function packet(first: number, rest: Buffer): Buffer {
  const length: number[] = [];
  let left = rest.length;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from([first, ...length]), rest]);
}

function text(value: string): number[] {
  const bytes = Buffer.from(value);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}
