/** Where the node writes what an operator should read; a pino logger fits. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** Says nothing; for tests and for callers that only look at events and counters. */
export const SILENT_LOGGER: Logger = { debug() {}, info() {}, warn() {}, error() {} };
