import { DEFAULT_PACE } from "./job-steps.ts";

/** What a worker does unless told otherwise. */
export const WORKER_DEFAULTS = {
  leaseMs: DEFAULT_PACE.leaseMs,
  graceMs: 5_000,
  peersMs: 60_000,
  memoryMb: 1_024,
  channelHost: "127.0.0.1",
} as const;
