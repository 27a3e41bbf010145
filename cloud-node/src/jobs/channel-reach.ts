import type { Duplex } from "node:stream";
import type { BrokerAddress } from "../broker-reach.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { BrokerDoor, connectByBroker, isBrokerRoute } from "./broker-door.ts";
import { JobError } from "./job-error.ts";
import { connectByTcp, listenByTcp } from "./tcp-door.ts";

/** Two workers on one connection: bytes both ways, in order. */
export type ChannelStream = Duplex & {
  /** What carries them adds to every write, bytes; undefined: nothing that is counted. */
  readonly overheadBytes?: number;
};

/** Where place 0 of a shared job takes connections. */
export interface ChannelDoor {
  /** As the places are told. */
  readonly address: string;
  /** Take no more of them; those that are there go on. */
  close(): void;
}

/** What a worker was told of how others reach it. */
export interface ChannelReach {
  /** An address of this machine, for TCP. */
  readonly channelHost: string;
  /** By which workers meet that do not reach each other; undefined: TCP. */
  readonly channelBroker?: BrokerAddress | undefined;
}

/** What a door needs besides. */
export interface DoorSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Take connections at place 0.
 *
 * @throws {JobError} `failed` when the host is none of this machine's, or the broker takes nobody
 */
export function openDoor(
  { channelHost, channelBroker }: ChannelReach,
  around: DoorSurroundings,
  take: (stream: ChannelStream) => void,
): Promise<ChannelDoor> {
  if (channelBroker === undefined) return listenByTcp(channelHost, around.logger, take);
  return BrokerDoor.open(channelBroker, around, take);
}

/** Connect to where place 0 takes connections. @throws {JobError} `peer-left` when nobody answers there */
export function connectTo(address: string, { channelBroker }: ChannelReach): Promise<ChannelStream> {
  if (!isBrokerRoute(address)) return connectByTcp(address);
  if (channelBroker !== undefined) return connectByBroker(channelBroker, address);
  const problem = "place 0 of the shared job is reached by a broker, and this worker knows none";
  throw new JobError("peer-left", problem, "start it with --channel-broker, the same for all workers");
}
