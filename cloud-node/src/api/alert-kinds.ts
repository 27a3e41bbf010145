/** What a device or the node can be in trouble with, worst first. */
export const ALERT_KINDS = [
  "fault",
  "store-failing",
  "broker-away",
  "overloaded",
  "offline",
  "unproven",
  "update-failed",
  "gap-lost",
  "ring-filling",
  "resync-storm",
  "reboots",
  "saturated",
  "store-slow",
  "clock-off",
  "costs-more",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];
