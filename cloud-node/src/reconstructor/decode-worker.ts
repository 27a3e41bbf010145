/**
 * A thread that decodes. It keeps nothing between two frames: each comes with the codec's state before it, and its result
 * goes back with the state after it, so that nothing is lost with the thread.
 */
import { parentPort } from "node:worker_threads";
import { decodeFrame } from "@lockstep/protocol";
import { InvariantError } from "../invariant-error.ts";
import { planBirth } from "./birth-plan.ts";
import type { DecodeAnswer, DecodeOrder } from "./decode-messages.ts";
import { type FrameDecoder, payloadRows, tryFrame } from "./frame-trial.ts";
import { ModuleRegistry } from "./module-registry.ts";
import { RowBuffer } from "./row-buffer.ts";
import { readStoredFrame } from "./stored-frame.ts";
import {
  type PackedTrials,
  ResultBatch,
  type UnpackedResult,
  type UnpackedTrial,
  unpackTrials,
} from "./trial-batch.ts";

interface Plan {
  readonly decoder: FrameDecoder;
  readonly channels: number;
  readonly frameSamples: number;
}

const port = parentPort;
if (port === null) throw new InvariantError("the decode worker must run in a worker thread");
const modules = new ModuleRegistry();
const plans = new Map<number, Plan>();
const rows = new RowBuffer();

port.on("message", (order: DecodeOrder) => {
  if (order.kind === "plan") {
    plans.set(order.plan, planOf(order));
    return;
  }
  const answer: DecodeAnswer = { results: decodeAll(order.trials) };
  const { fields, samples, statuses, states } = answer.results;
  port.postMessage(answer, [fields.buffer, samples.buffer, statuses.buffer, states.buffer]);
});

function planOf({ wasm, birth: bytes, lattices }: Extract<DecodeOrder, { kind: "plan" }>): Plan {
  if (wasm !== undefined) modules.add(wasm);
  const birth = decodeFrame(bytes);
  const plan = birth.kind === "birth" ? planBirth(birth, modules) : undefined;
  const config = typeof plan === "object" ? plan.config(lattices) : undefined;
  if (birth.kind !== "birth" || typeof plan !== "object" || config === undefined) {
    throw new InvariantError("a thread was told of a birth that cannot be decoded with");
  }
  const { channels, frameSamples } = birth;
  return { decoder: plan.core.createDecoder(config), channels: channels.length, frameSamples };
}

function decodeAll(trials: PackedTrials) {
  const results = new ResultBatch();
  for (const trial of unpackTrials(trials)) results.add(decode(trial));
  return results.finish();
}

function decode({ plan: number, place, frame: bytes, state }: UnpackedTrial): UnpackedResult {
  const plan = plans.get(number);
  const frame = readStoredFrame(bytes);
  if (plan === undefined || frame === undefined) throw new InvariantError("a thread was given what it cannot decode");
  const { decoder, channels, frameSamples } = plan;
  const count = payloadRows(frame, frameSamples);
  decoder.restoreState(state);
  const isProved = count !== undefined && tryFrame(decoder, frame, bytes, place, count, channels, rows);
  if (!isProved) {
    return { isProved, channels, samples: new Int32Array(0), statuses: undefined, state: new Uint8Array(0) };
  }
  const values = rows.count * channels;
  const hasStatuses = frame.kind !== "heartbeat" && frame.hasEvents;
  return {
    isProved,
    channels,
    samples: rows.samples.subarray(0, values),
    statuses: hasStatuses ? rows.statuses.subarray(0, values) : undefined,
    state: decoder.saveState(),
  };
}
