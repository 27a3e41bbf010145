import { destination, pino } from "pino";
import type { Logger } from "../logger.ts";
import { packageVersion } from "./package-version.ts";

const STANDARD_ERROR = 2;

/**
 * What an operator reads: one JSON object a line on standard error, as log collectors take it.
 *
 * @param level  one of LOG_LEVELS
 */
export function createLogger(level: string): Logger {
  const stream = destination({ dest: STANDARD_ERROR, sync: true });
  // Whoever stopped reading the log does not stop the node.
  stream.on("error", () => {});
  return pino({ level, base: { version: packageVersion() } }, stream);
}
