/** Levels of the log that a person may choose. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
