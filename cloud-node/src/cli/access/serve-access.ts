import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { BrokerOptions, CloudNodeOptions } from "../../node-options.ts";
import { CommandError } from "../command-error.ts";
import { parsePositive, parsePositiveCount } from "../option-values.ts";

/** What `lockstep serve` is told about who may speak, and how much. */
export interface AccessOptions {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly brokerPasswordFile?: string;
  readonly brokerCa?: string;
  readonly deviceFrames: number;
  readonly deviceBytes: number;
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
}

/** Of a device that samples thousands of times a second, or empties a full ring: no honest one is near it for long. */
const DEFAULT_FRAMES_PER_SECOND = 5_000;
const DEFAULT_BYTES_PER_SECOND = 8_000_000;

/** Add the options of `AccessOptions`. */
export function addAccessOptions(command: Command): Command {
  return command
    .option(
      "--tls-cert <FILE>",
      "devices and browsers speak TLS: PEM of the node's certificate, and those that lead to its authority",
    )
    .option("--tls-key <FILE>", "and of its private key")
    .option("--tls-client-ca <FILE>", "devices may show certificates that this authority signed (PEM)")
    .option("--broker-password-file <FILE>", "the node's password at a foreign broker; its user is in the address")
    .option("--broker-ca <FILE>", "PEM of the authority that signed a foreign broker's certificate")
    .option(
      "--device-frames <HZ>",
      "messages a second of one device, on average; what is more comes later",
      parsePositive,
      DEFAULT_FRAMES_PER_SECOND,
    )
    .option("--device-bytes <BYTES>", "bytes a second of one device, likewise", parsePositive, DEFAULT_BYTES_PER_SECOND)
    .option(
      "--max-connections <COUNT>",
      "connections of devices at once, of each port (default: 20000)",
      parsePositiveCount,
    )
    .option(
      "--max-connections-per-address <COUNT>",
      "and of each address (default: 1000; of this machine's own, all)",
      parsePositiveCount,
    );
}

/**
 * What a node is told of it.
 *
 * @throws {CommandError} `usage`
 * @throws {AccessError} `bad-tls-file`, `tls-key-open`
 */
export async function readAccess(
  options: AccessOptions,
): Promise<Pick<CloudNodeOptions, "tls" | "rates" | "connections">> {
  const { readTlsFiles } = await import("../../access/tls-files.ts");
  const { deviceRateLimits } = await import("../../access/device-rates.ts");
  const { DEFAULT_CONNECTION_LIMITS: limits } = await import("../../access/connection-limits.ts");
  const { tlsCert: cert, tlsKey: key, tlsClientCa: clientCa, maxConnections, maxConnectionsPerAddress } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new CommandError("usage", "one of --tls-cert and --tls-key", "they go together: give both");
  }
  if (clientCa !== undefined && cert === undefined) {
    throw new CommandError("usage", "--tls-client-ca without TLS", "give --tls-cert and --tls-key too");
  }
  return {
    tls: cert === undefined || key === undefined ? undefined : readTlsFiles({ cert, key, clientCa }),
    rates: deviceRateLimits(options.deviceFrames, options.deviceBytes),
    connections: {
      ...limits,
      total: maxConnections ?? limits.total,
      perAddress: maxConnectionsPerAddress ?? limits.perAddress,
      perLoopbackAddress: maxConnectionsPerAddress ?? limits.perLoopbackAddress,
    },
  };
}

/**
 * A broker that is not ours, and how the node logs in.
 *
 * @throws {CommandError} `usage`
 */
export function foreignBroker(url: string, { brokerPasswordFile, brokerCa }: AccessOptions): BrokerOptions {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw new CommandError("usage", "--broker is no address", "write mqtt://HOST:PORT");
  if (parsed.password !== "") {
    const remedy =
      "put it into a file that is yours alone, and give --broker-password-file: an address is shown to everybody";
    throw new CommandError("usage", "--broker has a password in it", remedy);
  }
  const user = decodeURIComponent(parsed.username);
  if (brokerPasswordFile !== undefined && user === "") {
    throw new CommandError("usage", "--broker-password-file without a user", "write --broker mqtts://USER@HOST:PORT");
  }
  const password = brokerPasswordFile === undefined ? undefined : readFileSync(brokerPasswordFile, "utf8").trim();
  return {
    kind: "external",
    url,
    ...(user === "" ? {} : { login: { user, password } }),
    ...(brokerCa === undefined ? {} : { ca: readFileSync(brokerCa) }),
  };
}
