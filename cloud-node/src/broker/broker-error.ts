export type BrokerErrorCode = "unreachable" | "no-qos-1" | "no-retained" | "packet-too-small" | "not-delivered";

/** A broker that cannot carry Lockstep's frames. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: BrokerErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: BrokerErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    super(`broker: ${describe(code, facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: BrokerErrorCode, facts: Readonly<Record<string, string | number>>): string {
  const url = facts.url;
  switch (code) {
    case "unreachable":
      return `${url} cannot be reached: ${facts.detail}`;
    case "no-qos-1":
      return `${url} does not grant QoS 1 on ${facts.topic}; check its access rules`;
    case "no-retained":
      return `${url} does not keep retained messages, by which devices are known again; switch them on`;
    case "packet-too-small":
      return `${url} does not carry ${facts.bytes} bytes in one message; raise its packet limit`;
    case "not-delivered":
      return `${url} does not deliver on ${facts.topic} within ${facts.limitMs} ms; check its access rules`;
  }
}
