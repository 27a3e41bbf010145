import { formatCount, formatRatio, UNKNOWN } from "../../src/api/number-text.ts";
import type { FleetSummary } from "../../src/api/schemas/fleet-schema.ts";

/** The line that answers: does anything need me, can I trust it, what did it save? */
export function SummaryLine({ fleet }: { readonly fleet: FleetSummary }) {
  const { devices, needAction, catchingUp, live, ratioIp, beyondEps, compared } = fleet;
  return (
    <ul class="summary values" aria-label="Fleet">
      <li>
        <b>{formatCount(devices)}</b> {devices === 1 ? "device" : "devices"}
      </li>
      <li class={needAction > 0 ? "bad" : ""}>
        <b>{formatCount(needAction)}</b> need action
      </li>
      <li>
        <b>{formatCount(catchingUp)}</b> catching up
      </li>
      <li>
        <b>{formatCount(live)}</b> live
      </li>
      <li>
        <b>{ratioIp === null ? UNKNOWN : formatRatio(ratioIp)}</b> fewer IP bytes, 24 h
      </li>
      <li class={beyondEps > 0 ? "bad" : ""}>
        <b>{compared === 0 ? UNKNOWN : formatCount(beyondEps)}</b> samples beyond eps
        {compared === 0 ? "" : ` of ${formatCount(compared)} compared`}
      </li>
    </ul>
  );
}
