import type { UpdateAnswer } from "../../api/schemas/update-schema.ts";
import { isOver } from "../../flash/update-record.ts";
import { CommandError } from "../command-error.ts";
import { ProgressLine } from "../progress-line.ts";
import type { Surroundings } from "../surroundings.ts";
import type { NodeClient } from "./node-client.ts";

/** A node that is away for so long is not waited for any more; the update itself goes on when it is back. */
const AWAY_LIMIT_MS = 60_000;
const AGAIN_MS = 500;
/** Share of the way that each step stands for, so that the bar goes on while bytes are not what is waited for. */
const SENT_SHARE = 0.9;
const STEP_SHARES: Readonly<Record<string, number>> = { verifying: 0.92, switching: 0.94, trying: 0.97 };

/**
 * Follow an update to its end, with progress on a terminal.
 *
 * @returns as it was last: over, or under way when the command was interrupted
 * @throws {CommandError} `not-reachable` when the node stays away
 */
export async function watchUpdate(
  { stderr, clock, interrupt }: Surroundings,
  client: NodeClient,
  update: UpdateAnswer,
): Promise<UpdateAnswer> {
  const progress = new ProgressLine(stderr, clock, `flash ${update.version}`, "device/s");
  let last = update;
  let seenMs = clock.nowMs();
  try {
    while (last.state === "running" && !interrupt.aborted) {
      try {
        for await (const now of client.changes(update.id)) {
          last = now;
          seenMs = clock.nowMs();
          draw(progress, now);
        }
      } catch (error) {
        if (interrupt.aborted) return last;
        const isAway = error instanceof CommandError ? error.code === "not-reachable" : isCut(error);
        if (!isAway || clock.nowMs() - seenMs > AWAY_LIMIT_MS) throw error;
      }
      if (last.state === "running" && !interrupt.aborted) await pause(clock, interrupt);
    }
    return last;
  } finally {
    progress.clear();
  }
}

function draw(progress: ProgressLine, { devices }: UpdateAnswer): void {
  const over = devices.filter(({ step }) => isOver(step)).length;
  const active = devices.find(({ step }) => !isOver(step) && step !== "queued");
  const failed = devices.filter(({ step }) => step === "failed" || step === "reverted").length;
  const place =
    devices.length === 1
      ? (active?.step ?? "")
      : `${over} of ${devices.length}${failed > 0 ? `, ${failed} failed` : ""}`;
  progress.name(place);
  progress.update(
    devices.reduce((sum, device) => sum + shareOf(device), 0),
    devices.length,
  );
}

function shareOf({ step, share }: UpdateAnswer["devices"][number]): number {
  return isOver(step) ? 1 : (STEP_SHARES[step] ?? SENT_SHARE * share);
}

/** Whether a stream ended because its connection did. */
function isCut(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && "code" in error);
}

function pause(clock: Surroundings["clock"], interrupt: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      interrupt.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.setTimer(end, AGAIN_MS);
    interrupt.addEventListener("abort", end);
  });
}
