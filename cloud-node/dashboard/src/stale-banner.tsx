import { durationText, type TimeZone, timeOfDay } from "./time-text.ts";

interface StaleBannerProps {
  readonly silentMs: number;
  readonly heardUs: number;
  readonly zone: TimeZone;
  retry(): void;
}

/** Says that what is shown is old. */
export function StaleBanner({ silentMs, heardUs, zone, retry }: StaleBannerProps) {
  const whole = Math.floor(silentMs / 1000) * 1_000_000;
  return (
    <p class="banner">
      <span>
        No connection for {durationText(whole)}. Values are from {timeOfDay(heardUs, zone)}.
      </span>
      <button type="button" onClick={retry}>
        Retry
      </button>
    </p>
  );
}
