import type { IClientOptions } from "mqtt";

/** Who the node is at a broker that wants to know. */
export interface BrokerLogin {
  readonly user: string;
  /** Undefined: the broker asks for none. */
  readonly password: string | undefined;
}

/** An address as it may be told: without a password. */
export function publicUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.password === "") return url;
  parsed.password = "";
  return parsed.href;
}

/** How a client of a broker introduces itself, and whom it believes. */
export function brokerSettings(broker: {
  readonly login?: BrokerLogin | undefined;
  readonly ca?: Buffer | undefined;
}): IClientOptions {
  const { login, ca } = broker;
  return {
    ...(login === undefined ? {} : { username: login.user }),
    ...(login?.password === undefined ? {} : { password: login.password }),
    ...(ca === undefined ? {} : { ca }),
  };
}
