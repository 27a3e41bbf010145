import type { Duplex } from "node:stream";

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

/** How the workers of a shared job reach each other. */
export interface ChannelWay {
  /** Take connections. @throws {JobError} `failed` when that is not possible here */
  listen(take: (stream: ChannelStream) => void): Promise<ChannelDoor>;
  /** Connect to where place 0 listens. @throws {JobError} `peer-left` when nobody answers */
  connect(address: string): Promise<ChannelStream>;
}
