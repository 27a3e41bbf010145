import { InvariantError } from "../invariant-error.ts";
import { StoreError } from "./store-error.ts";

/** Whether an error says that what the store holds is not what was written. */
export function isDamage(error: unknown): boolean {
  return error instanceof InvariantError || (error instanceof StoreError && error.code === "corrupt");
}

/** What `read` gives; nothing, too, where it came upon damage. */
export function unlessDamaged<T>(read: () => T): T | undefined {
  const found = damageOf(read);
  return found === "damaged" ? undefined : found;
}

/** What `read` gives, or that it came upon damage. */
export function damageOf<T>(read: () => T): T | "damaged" {
  try {
    return read();
  } catch (error) {
    if (isDamage(error)) return "damaged";
    throw error;
  }
}
