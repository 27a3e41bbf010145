import { formatCount, formatQuantity, UNKNOWN } from "../../src/api/number-text.ts";
import type { DeviceAnswer } from "./device-facts.ts";
import { durationText } from "./time-text.ts";

/** Who the device is, one step away. */
export function About({ device }: { readonly device: DeviceAnswer }) {
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
    </details>
  );
}
