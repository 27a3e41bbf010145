/** What is kept; both may be given, and what either lets go is deleted. */
export interface RetentionRules {
  /** Stretches that were closed before this Unix time, µs, are deleted. */
  readonly closedBeforeUs?: number | undefined;
  /** The oldest stretches of all devices are deleted until the store takes no more than this, free pages left out. */
  readonly maxBytes?: number | undefined;
}

/** What one run of retention did. */
export interface RetentionReport {
  /** Stretches deleted. */
  readonly stretches: number;
  /** By how much the file shrank, bytes. */
  readonly freedBytes: number;
}
