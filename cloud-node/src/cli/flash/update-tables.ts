import { formatAge, formatCounted, formatFill } from "../../api/number-text.ts";
import type { UpdateAnswer, UpdateCheckAnswer, UpdateSummary } from "../../api/schemas/update-schema.ts";
import { isOver } from "../../flash/update-record.ts";
import type { DeviceUpdateAnswer } from "./node-client.ts";

/** What a check found, a line for each device. */
export function checkTable({ devices, unmatched, version, form }: UpdateCheckAnswer): string {
  // A device names its model, and not the bytes of its image.
  const hint = form === "image" ? ": for an image of other bytes give a higher --version" : "";
  const lines = devices.map(({ device, isCurrent, refusals, state }) => {
    const now = state === null ? "" : `runs ${state.version}; `;
    if (refusals.length === 0)
      return [device, isCurrent ? `runs ${version} already${hint}` : `${now}can be given ${version}`];
    return [device, refusals.map(({ code, text }) => `${code}: ${text}`).join("; ")];
  });
  return columns([...lines, ...unmatched.map((pattern) => [pattern, "no device fits this"])]);
}

/** What became of an update, a line for each device. */
export function resultTable({ devices, version, state, id }: UpdateAnswer): string {
  const done = devices.filter(({ step }) => step === "done").length;
  const rest = devices.length - done;
  const head = `update ${id} to ${version}: ${state}, ${formatCounted(done, "device")} done${rest > 0 ? `, ${rest} not` : ""}`;
  return `${head}\n${columns(devices.map(({ device, step, share, reason }) => [device, isOver(step) ? step : `${step} ${formatFill(share)}`, reason]))}`;
}

/** All updates, newest first. */
export function updateList(updates: readonly UpdateSummary[], nowUs: number): string {
  if (updates.length === 0) return "no update is remembered";
  const rows = updates.map(({ id, version, form, state, counts, createdUs }) => {
    const { all, running, failed } = counts;
    const told = `${all - running} of ${formatCounted(all, "device")}${failed > 0 ? `, ${failed} failed` : ""}`;
    return [id, state, version, form, told, formatAge((nowUs - createdUs) / 1000)];
  });
  return columns([["UPDATE", "STATE", "VERSION", "FORM", "DEVICES", "AGE"], ...rows]);
}

/** How one device stands. */
export function deviceLines({ id, state, update }: DeviceUpdateAnswer): string {
  const lines: string[][] = [];
  if (state === null) {
    lines.push(["answers", "nothing: it is offline, or has no updater"]);
  } else {
    const slot = state.slot > 1 ? "its firmware's own" : `slot ${state.slot}`;
    lines.push(
      ["runs", `${state.version}, ${state.form}, ${slot}, model ${state.model.slice(0, 16)}`],
      ["confirmed", state.confirmedVersion],
      ["phase", state.phase],
      ["takes", `${state.target}, ABI ${state.abi}, up to ${state.slotBytes} B, keys ${state.keys.join(" ")}`],
      ["traps", String(state.traps)],
    );
    if (state.verdictText !== null) lines.push(["last verdict", `${state.verdict}: ${state.verdictText}`]);
  }
  const own = update?.devices.find(({ device }) => device === id);
  if (update !== null && own !== undefined) {
    const place = isOver(own.step) ? `${own.step}, ${own.reason}` : `${own.step} ${formatFill(own.share)}`;
    lines.push(["update", `${update.id} to ${update.version}: ${place}`]);
  }
  return `${id}\n${columns(lines.map(([name = "", ...rest]) => [`  ${name}`, ...rest]))}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((most, row) => {
    return row.map((text, i) => Math.max(most[i] ?? 0, text.length)).concat(most.slice(row.length));
  }, []);
  return rows
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
