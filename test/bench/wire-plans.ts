import { DEFAULT_ACK_POLICY } from "@lockstep/cloud-node";
import type { WireGroup } from "./wire-ends.ts";
import type { LanePlan, WireLink } from "./wire-lanes.ts";
import type { WireSource } from "./wire-source.ts";

/** The age is never reached; a device waits so long, and a second more, before it asks. */
export const EACH: WireGroup = { name: "one per frame", acks: { everyFrames: 1, ageMs: 10_000 } };
/** The age is beyond six frames of any length. */
export const BATCHED: WireGroup = { name: "one per 6 frames", acks: { everyFrames: 6, ageMs: 420_000 } };
/** Ten minutes: for networks that do not forget idle connections. */
export const RARE_PINGS: WireGroup = {
  name: "one per 6 frames, pings after 600 s",
  acks: BATCHED.acks,
  keepAliveSeconds: 600,
};
export const DEFAULT: WireGroup = { name: "as the node ships", acks: DEFAULT_ACK_POLICY };
export const GROUPS: readonly WireGroup[] = [EACH, BATCHED, DEFAULT, RARE_PINGS];

/** What acknowledges a plain stream, by link. */
export const PLAIN_ACKS: Readonly<Record<WireLink, readonly string[]>> = {
  MQTT: ["QoS 0", "QoS 1"],
  TCP: ["TCP"],
  serial: ["nothing"],
};

/** Which lanes a run has. */
export interface LaneChoice {
  readonly sources: readonly WireSource[];
  /** Frame lengths over MQTT, samples. */
  readonly frames: readonly number[];
  /** Those of them that are measured with the acknowledgements that a node ships too. */
  readonly defaultFrames: readonly number[];
  /** And with rare pings. */
  readonly rarePingFrames: readonly number[];
  /** Frame lengths over TCP and serial lines. */
  readonly streamFrames: readonly number[];
}

/** MQTT first, so that no alias has a second character. Names are short: they are part of the set-up. */
export function lanePlans({ sources, frames, defaultFrames, rarePingFrames, streamFrames }: LaneChoice): LanePlan[] {
  const ours = (link: WireLink, frameSamples: number, group: WireGroup, { name: source, seeds }: WireSource) =>
    seeds.map((seed): LanePlan => {
      const name = `${source[0]}${link[0]}${frameSamples}-${GROUPS.indexOf(group)}-${seed}`.toLowerCase();
      return { kind: "lockstep", link, source, frameSamples, acks: group.name, seed, name };
    });
  const plain = (link: WireLink, frameSamples: number) =>
    PLAIN_ACKS[link].map((acks, a): LanePlan => {
      const name = `p${link[0]}${frameSamples}-${a}`.toLowerCase();
      return { kind: "plain", link, source: "rotor", frameSamples, acks, seed: 1, name };
    });
  return [
    ...sources.flatMap((source) =>
      frames.flatMap((frame) => [EACH, BATCHED].flatMap((group) => ours("MQTT", frame, group, source))),
    ),
    ...sources.flatMap((source) => defaultFrames.flatMap((frame) => ours("MQTT", frame, DEFAULT, source))),
    ...sources.flatMap((source) => rarePingFrames.flatMap((frame) => ours("MQTT", frame, RARE_PINGS, source))),
    ...(["TCP", "serial"] as const).flatMap((link) =>
      sources.flatMap((source) => streamFrames.flatMap((frame) => ours(link, frame, BATCHED, source))),
    ),
    ...frames.flatMap((frame) => plain("MQTT", frame)),
    ...streamFrames.flatMap((frame) => [...plain("TCP", frame), ...plain("serial", frame)]),
  ];
}
