/** Where a message of the device, or of a program that has jobs, goes; only MQTT has a topic for each. */
export type OutTopic = "birth" | "frames" | "presence" | "jobs";

/**
 * What a transport tells its device. Callbacks never run inside a call of the transport itself, except `message`
 * and `drained`, which never run inside `send`.
 */
export interface TransportEvents {
  /** The far end can be reached: messages may be sent from now on. */
  connected(): void;
  /** The connection is gone; whatever was accepted and not delivered is lost. The transport is already trying again. */
  disconnected(reason: string): void;
  /** One whole message from the far end; the bytes are the receiver's to keep. */
  message(bytes: Uint8Array): void;
  /** A message was refused by `send`, and would be accepted now. */
  drained(): void;
}

/**
 * A way for one device to exchange whole messages with the cloud. Delivery is at most once and in order on each topic
 * while the connection lasts (a broker lets a frame overtake a birth: nothing may depend on that order); nothing is kept across connections, because the ring of the device already does that.
 */
export interface Transport {
  /**
   * Start connecting, and go on reconnecting until closed. Resolves once started; a far end that cannot be reached is
   * not an error.
   *
   * @param events  told what happens
   * @param will  what the far end should hear when the device disappears without a word (the presence with online 0);
   *   only MQTT delivers it
   * @throws {TransportError} `already-open`, `bad-url`
   */
  open(events: TransportEvents, will: Uint8Array): Promise<void>;
  /**
   * Send one message.
   *
   * @param bytes  1 … 65,535 bytes, copied before this returns
   * @returns false when it was not accepted: keep it and wait for `drained`, or for `connected` when there is no
   *   connection
   * @throws {TransportError} `too-large`, `empty`
   */
  send(topic: OutTopic, bytes: Uint8Array): boolean;
  /** Send frames on this short topic for the rest of the connection. Transports without topics ignore it. */
  useAlias(alias: string): void;
  /** Deliver what was accepted, say good-bye, and stop; no event follows. Resolves when nothing is left open. */
  close(): Promise<void>;
  /** Vanish as if power had failed: nothing is flushed and no good-bye is said; no event follows. */
  destroy(): Promise<void>;
}

/** Largest message, bytes; the length prefix of a byte stream has 16 bits. */
export const MAX_MESSAGE_BYTES = 65_535;

export type TransportErrorCode =
  | "already-open"
  | "bad-url"
  | "half-identity"
  | "too-large"
  | "empty"
  | "no-port"
  | "port-denied"
  | "not-a-port"
  | "port-busy"
  | "port-failed"
  | "bad-rate"
  | "no-serialport"
  | "no-answer";

/** A transport used against its contract, or a serial port that cannot be opened. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: TransportErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: TransportErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    super(`transport: ${describe(code, facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

/** Refuse a message that no transport carries. */
export function checkMessage(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new TransportError("empty", {});
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new TransportError("too-large", { bytes: bytes.length, limit: MAX_MESSAGE_BYTES });
  }
}

function describe(code: TransportErrorCode, facts: Readonly<Record<string, string | number>>): string {
  switch (code) {
    case "already-open":
      return "it was opened before; make a new one for a new connection";
    case "bad-url":
      return `"${facts.url}" is not an address of the form ${facts.expected}`;
    case "half-identity":
      return "a certificate and its private key go together; give both";
    case "too-large":
      return `a message of ${facts.bytes} bytes is over the limit of ${facts.limit}`;
    case "empty":
      return "a message of 0 bytes cannot be sent";
    case "no-port":
      if (String(facts.path).startsWith("unix:")) return `nobody listens at ${facts.path}; start what has that line`;
      return `there is no ${facts.path}; plug the device in, or look for its name with \`ls /dev/serial/by-id\``;
    case "port-denied":
      return `no permission for ${facts.path}, which belongs to the group ${facts.group}; \`sudo usermod -aG ${facts.group} $USER\`, then log in again`;
    case "not-a-port":
      return `${facts.path} is no serial port`;
    case "port-busy":
      return `${facts.path} is in use by another program`;
    case "port-failed":
      return `${facts.path} cannot be opened: ${facts.detail}`;
    case "bad-rate":
      return `"${facts.rate}" is no rate of a serial port; write a whole number from ${facts.least} to ${facts.most}`;
    case "no-answer":
      return `nothing came back for ${facts.afterMs} ms: the connection may have been forgotten on the way`;
    case "no-serialport":
      return `the package that opens serial ports cannot be loaded (${facts.detail}); \`npm install serialport@13.0.0\``;
  }
}
