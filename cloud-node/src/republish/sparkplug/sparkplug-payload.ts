import { get } from "sparkplug-payload";
import { InvariantError } from "../../invariant-error.ts";
import type { DeviceFacts, SampleBatch } from "../sample-batch.ts";
import type { AliasBook } from "./alias-book.ts";

type Codec = NonNullable<ReturnType<typeof get>>;
type Payload = Parameters<Codec["encodePayload"]>[0];
type Metric = NonNullable<Payload["metrics"]>[number];
type Properties = NonNullable<Metric["properties"]>;

/** The newest sample of a device that was told. */
export interface NewestRow {
  /** Unix time, µs. */
  readonly timeUs: number;
  /** Shape (channels). */
  readonly values: Float64Array;
  readonly statuses: Uint8Array;
}

/** What a host writes `true` to when it wants every birth again. */
export const REBIRTH = "Node Control/Rebirth";
const BD_SEQ = "bdSeq";
/** Channel-samples given up since the node started. */
export const DROPPED = "Lockstep/Dropped Values";
/** Samples that a device lost for good since the node started. */
export const LOST = "Lockstep/Lost Samples";
const EPOCH = "Lockstep/Epoch";
/** The specification's three qualities; a clipped or missing sample has no bound, so it is not good. */
const QUALITY_GOOD = 192;
const QUALITY_BAD = 0;
const QUALITY_STALE = 500;
/** Channel-samples in a message at most: with every property still less than 65,535 bytes. */
export const SPARKPLUG_VALUES = 600;
/** A wish for births has some forty; reading what anybody may send takes time that frames need. */
const MOST_COMMAND_BYTES = 65_536;
/** Of what is only expected: no bound holds for it. */
const STALE: Properties = {
  Quality: { type: "Int32", value: QUALITY_STALE },
  status: { type: "String", value: "extrapolated" },
};
const STATUS_NAMES = ["ok", "invalid", "saturated"] as const;

/** The will of a connection, and the last word before it is ended on purpose. @param nowUs  Unix time */
export function nodeDeath(bdSeq: number, nowUs: number): Uint8Array {
  return encode({ timestamp: toMs(nowUs), metrics: [bdSeqMetric(bdSeq, nowUs)] });
}

/** Everything that the edge node itself will ever say; its seq is 0. */
export function nodeBirth(bdSeq: number, dropped: number, aliases: AliasBook, nowUs: number): Uint8Array {
  const timestamp = toMs(nowUs);
  const metrics: Metric[] = [
    bdSeqMetric(bdSeq, nowUs),
    { name: REBIRTH, type: "Boolean", value: false, timestamp },
    { name: DROPPED, alias: aliases.of("", DROPPED), type: "Int64", value: dropped, timestamp },
  ];
  return encode({ timestamp, seq: 0, metrics });
}

export function nodeData(seq: number, dropped: number, aliases: AliasBook, nowUs: number): Uint8Array {
  const timestamp = toMs(nowUs);
  return encode({
    timestamp,
    seq,
    metrics: [{ alias: aliases.of("", DROPPED), type: "Int64", value: dropped, timestamp }],
  });
}

/** Everything that a device will ever say, with its newest sample. @param newest  undefined before the first */
export function deviceBirth(
  seq: number,
  { device, epoch, channels }: DeviceFacts,
  newest: NewestRow | undefined,
  lost: number,
  aliases: AliasBook,
  nowUs: number,
): Uint8Array {
  const timestamp = toMs(nowUs);
  const metrics: Metric[] = channels.map(({ name, unit, eps }, c) => ({
    name,
    alias: aliases.of(device, name),
    type: "Double",
    value: newest?.values[c] ?? null,
    timestamp: newest === undefined ? timestamp : toMs(newest.timeUs),
    properties: {
      ...quality(newest?.statuses[c] ?? 0),
      ...(unit === "" ? {} : { engUnit: { type: "String", value: unit } }),
      eps: { type: "Double", value: eps },
    },
  }));
  // In order of time, whose clock may be another than the node's.
  const at = newest === undefined ? timestamp : toMs(newest.timeUs);
  metrics.push(
    { name: LOST, alias: aliases.of(device, LOST), type: "Int64", value: lost, timestamp: at },
    { name: EPOCH, alias: aliases.of(device, EPOCH), type: "Int64", value: epoch, timestamp: at },
  );
  return encode({ timestamp, seq, metrics });
}

/**
 * Samples of a device, row by row.
 *
 * @param isHistorical  whether the host has newer ones as current values
 * @param flagged  channels whose last told sample was not good; kept up to date here
 * @param lost  samples lost so far, where that changed
 */
export function deviceData(
  seq: number,
  batch: SampleBatch,
  isHistorical: boolean,
  flagged: Set<number>,
  lost: number | undefined,
  aliases: AliasBook,
  nowUs: number,
): Uint8Array {
  const { facts, timesUs, values, statuses, state } = batch;
  const { device, channels } = facts;
  const numbers = channels.map(({ name }) => aliases.of(device, name));
  const metrics: Metric[] = [];
  for (const [row, timeUs] of timesUs.entries()) {
    for (const [c, alias] of numbers.entries()) {
      const at = row * channels.length + c;
      const status = statuses[at] ?? 0;
      const metric: Metric = { alias, type: "Double", value: values[at] ?? 0, timestamp: toMs(timeUs) };
      if (isHistorical) metric.isHistorical = true;
      // A guess that a confirmed sample will replace: nothing to keep.
      if (state === "extrapolated") metric.isTransient = true;
      // Said where it is not good, and once where it is good again.
      const isGood = status === 0 && state === "confirmed";
      if (state === "extrapolated") metric.properties = STALE;
      else if (!isGood || (!isHistorical && flagged.has(c))) metric.properties = quality(status);
      if (!isHistorical && isGood) flagged.delete(c);
      else if (!isHistorical) flagged.add(c);
      metrics.push(metric);
    }
  }
  if (lost !== undefined) {
    const timestamp = toMs(isHistorical ? nowUs : (timesUs.at(-1) ?? nowUs));
    metrics.push({ alias: aliases.of(device, LOST), type: "Int64", value: lost, timestamp });
  }
  return encode({ timestamp: toMs(nowUs), seq, metrics });
}

export function deviceDeath(seq: number, nowUs: number): Uint8Array {
  return encode({ timestamp: toMs(nowUs), seq, metrics: [] });
}

/** Whether a command asks for every birth again; one that is no payload asks for nothing. */
export function asksForRebirth(payload: Uint8Array): boolean {
  if (payload.length > MOST_COMMAND_BYTES) return false;
  try {
    const { metrics } = codec().decodePayload(payload);
    return metrics?.some(({ name, value }) => name === REBIRTH && value === true) ?? false;
  } catch {
    return false;
  }
}

function bdSeqMetric(bdSeq: number, nowUs: number): Metric {
  return { name: BD_SEQ, type: "Int64", value: bdSeq, timestamp: toMs(nowUs) };
}

function quality(status: number): Properties {
  const name = STATUS_NAMES[status] ?? "invalid";
  return {
    Quality: { type: "Int32", value: status === 0 ? QUALITY_GOOD : QUALITY_BAD },
    ...(status === 0 ? {} : { status: { type: "String", value: name } }),
  };
}

/** Sparkplug counts Unix time in whole milliseconds. */
function toMs(unixUs: number): number {
  return Math.floor(unixUs / 1000);
}

function encode(payload: Payload): Uint8Array {
  return codec().encodePayload(payload);
}

function codec(): Codec {
  const found = get("spBv1.0");
  if (found === null) throw new InvariantError("sparkplug-payload does not know Sparkplug B");
  return found;
}
