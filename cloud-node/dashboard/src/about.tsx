import { formatCount, formatQuantity, UNKNOWN } from "../../src/api/number-text.ts";
import type { DeviceAnswer } from "./device-facts.ts";
import type { TimeSpan } from "./time-span.ts";
import { durationText } from "./time-text.ts";

/** Who the device is, one step away. */
export function About({ device, span }: { readonly device: DeviceAnswer; readonly span: TimeSpan | undefined }) {
  const { birth, confirmed, epochs, transport, clockOffsetUs } = device;
  const facts: readonly (readonly [string, string])[] = [
    ["Epoch, next frame", `${epochs.at(-1)?.epoch ?? UNKNOWN}, ${formatCount(confirmed.seq)}`],
    ["Boots", formatCount(device.boots)],
    ["Transport", transport ?? "not heard since the node started"],
    ["Clock offset", clockOffsetUs === null ? UNKNOWN : formatQuantity(clockOffsetUs / 1e6, "s")],
    ["Samples", `every ${durationText(birth.periodUs)}, ${formatCount(birth.frameSamples)} a frame`],
    ["Longest silence", durationText(birth.silenceMs * 1000)],
    ["Firmware", birth.firmware === "" ? UNKNOWN : birth.firmware],
    ["Model", birth.model],
    ["Frames not taken", `${device.refused} refused, ${device.duplicates} twice, ${device.conflicts} in conflict`],
  ];
  return (
    <details class="panel about">
      <summary>About this device</summary>
      <dl>
        {facts.map(([name, fact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
      <p class="pad">
        <a href={exportPath(device.id, span)} download={`${device.id}.csv`}>
          Every sample {span === undefined ? "of the last hour" : "on show"} as CSV
        </a>
      </p>
    </details>
  );
}

function exportPath(id: string, span: TimeSpan | undefined): string {
  const query = new URLSearchParams({ rate: "full", format: "csv" });
  if (span !== undefined) {
    query.set("from", String(Math.max(0, span.fromUs)));
    query.set("to", String(span.toUs));
  }
  return `/api/v1/devices/${encodeURIComponent(id)}/history?${query}`;
}
