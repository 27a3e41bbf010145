import { type FlashStateFrame, formatVersion } from "@lockstep/protocol";
import type { UpdateCheck } from "../flash/flash-desk.ts";
import { isFailure, isOver, type RolloutRecord, type UpdateStep } from "../flash/update-record.ts";
import { verdictName, verdictText } from "../flash/verdict-text.ts";
import { ApiProblem } from "./problem.ts";
import type {
  StateAnswer,
  UpdateAnswer,
  UpdateCheckAnswer,
  UpdateSummary,
  UpdatesAnswer,
} from "./schemas/update-schema.ts";

/** A roll-out, as it is told: each device by name. */
export function updateAnswer(record: RolloutRecord): UpdateAnswer {
  const devices = record.devices.map(({ device, step, next, length, verdict, reason, endedUs }) => {
    const share = step === "done" ? 1 : length === 0 ? 0 : next / length;
    return { device, step, share, verdict, reason, endedUs };
  });
  return { ...updateSummary(record), devices };
}

/**
 * A page of roll-outs.
 *
 * @param cursor  id of the last one of the page before; undefined: the first page
 * @throws {ApiProblem} `bad-parameter` where that one was forgotten meanwhile
 */
export function updatesAnswer(
  records: readonly RolloutRecord[],
  limit: number,
  cursor: string | undefined,
): UpdatesAnswer {
  const place = cursor === undefined ? -1 : records.findIndex(({ id }) => id === cursor);
  if (cursor !== undefined && place < 0) {
    const detail = `cursor=${cursor} is an update that is remembered no more: begin again without a cursor`;
    throw new ApiProblem("bad-parameter", detail, { parameter: "cursor", value: cursor });
  }
  const page = records.slice(place + 1, place + 1 + limit);
  const isLast = place + 1 + limit >= records.length;
  return { updates: page.map(updateSummary), next: isLast ? null : (page.at(-1)?.id ?? null) };
}

function updateSummary(record: RolloutRecord): UpdateSummary {
  const { id, state, version, form, model, target, keyId, createdUs, endedUs, stages, maxFailures } = record;
  const count = (fits: (step: UpdateStep) => boolean) => record.devices.filter(({ step }) => fits(step)).length;
  const counts = {
    all: record.devices.length,
    running: count((step) => !isOver(step)),
    done: count((step) => step === "done"),
    failed: count(isFailure),
  };
  const about = { id, state, version, form, model, target, keyId };
  return { ...about, createdUs, endedUs, stages, maxFailures, counts };
}

/** What a device said of itself, as it is told. */
export function stateAnswer(state: FlashStateFrame): StateAnswer {
  const { phase, running, confirmedVersion, slotBytes, target, abi, keys, verdict, detail, traps, stackHighWater } =
    state;
  const { slot, form, version, model } = running;
  const why = verdict === 0 ? { verdict: null, verdictText: null } : whyOf(verdict, detail);
  return {
    ...{ phase, version: formatVersion(version), form, model, slot, slotBytes, target, abi, traps, stackHighWater },
    confirmedVersion: formatVersion(confirmedVersion),
    keys: keys.map(({ id }) => id),
    ...why,
  };
}

/** What a check found, as it is told. */
export function checkAnswer({ packages, checks, unmatched }: UpdateCheck): UpdateCheckAnswer {
  const [first] = packages;
  if (first === undefined) throw new ApiProblem("package-refused", "no package was sent");
  const { manifest, keyId } = first;
  const { version, form, model, target } = manifest;
  const devices = checks.map(({ device, refusals, isCurrent, state }) => ({
    ...{ device, isFit: refusals.length === 0, isCurrent, refusals: [...refusals] },
    state: state === undefined ? null : stateAnswer(state),
  }));
  return {
    ...{ version: formatVersion(version), form, model, target, keyId, unmatched: [...unmatched], devices },
    bytes: Math.max(...packages.map(({ body }) => body.length)),
    isFit: devices.length > 0 && unmatched.length === 0 && devices.every(({ isFit }) => isFit),
  };
}

/** Why an update was not begun: the first refusal, and how many more there are. */
export function refusedUpdate(answer: UpdateCheckAnswer): ApiProblem {
  const reasons = [
    ...answer.unmatched.map((pattern) => `no device fits ${pattern}`),
    ...answer.devices.flatMap(({ device, refusals }) => refusals.map(({ text }) => `${device}: ${text}`)),
  ];
  const [first = "no device was named"] = reasons;
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : "";
  const code = answer.devices.flatMap(({ refusals }) => refusals)[0]?.code ?? "no-device";
  return new ApiProblem("update-refused", `${first}${more}`, { refusal: code, refusals: reasons.length });
}

function whyOf(verdict: number, detail: number) {
  return { verdict: verdictName(verdict), verdictText: verdictText(verdict, detail) };
}
