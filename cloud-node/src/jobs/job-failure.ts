import { inspect } from "node:util";
import { isOutOfRoom } from "../disk-room.ts";
import { JobError, type JobErrorCode } from "./job-error.ts";

/** Why an attempt did not end well, and whether another one would end the same. */
export interface AttemptFailure {
  readonly code: JobErrorCode;
  readonly message: string;
  readonly isFinal: boolean;
}

/** What a result frame has room for. */
const MAX_MESSAGE_CHARACTERS = 500;

/** What is to be told of anything that was thrown; never throws itself. */
export function failureOf(thrown: unknown): AttemptFailure {
  try {
    if (thrown instanceof JobError) {
      return { code: thrown.code, message: shortened(thrown.message), isFinal: thrown.isFinal };
    }
    if (!(thrown instanceof Error)) return failed(`it threw ${shown(thrown)}, which is no error`);
    const code = isOutOfRoom(thrown) ? "disk-full" : "failed";
    return { ...failed(`${thrown.name}: ${thrown.message}`), code };
  } catch {
    return failed("it threw something that cannot be looked at");
  }
}

/** At most 500 characters. */
export function shortened(message: string): string {
  return message.length <= MAX_MESSAGE_CHARACTERS ? message : `${message.slice(0, MAX_MESSAGE_CHARACTERS - 1)}…`;
}

function failed(message: string): AttemptFailure {
  return { code: "failed", message: shortened(message), isFinal: false };
}

function shown(value: unknown): string {
  return inspect(value, {
    depth: 1,
    breakLength: Number.POSITIVE_INFINITY,
    customInspect: false,
    maxStringLength: 200,
  });
}
