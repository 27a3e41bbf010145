import type { BrokerAddress } from "../broker-reach.ts";
import { brokerWay, isBrokerRoute } from "./broker-way.ts";
import type { ChannelWay } from "./channel-way.ts";
import { JobError } from "./job-error.ts";
import { tcpWay } from "./tcp-way.ts";

/** What a worker was told of how others reach it. */
export interface ChannelReach {
  /** An address of this machine, for TCP. */
  readonly channelHost: string;
  /** By which others are reached where no connection to them can be made; undefined: TCP. */
  readonly channelBroker?: BrokerAddress | undefined;
}

/** How a worker at place 0 takes connections. */
export function ownWay({ channelHost, channelBroker }: ChannelReach): ChannelWay {
  return channelBroker === undefined ? tcpWay(channelHost) : brokerWay(channelBroker);
}

/** How a worker at another place connects to `address`. @throws {JobError} `peer-left` when it knows no such way */
export function wayTo(address: string, { channelHost, channelBroker }: ChannelReach): ChannelWay {
  if (!isBrokerRoute(address)) return tcpWay(channelHost);
  if (channelBroker !== undefined) return brokerWay(channelBroker);
  const problem = "place 0 of the shared job is reached by a broker, and this worker knows none";
  throw new JobError("peer-left", problem, "start it with --channel-broker, the same for all workers");
}
