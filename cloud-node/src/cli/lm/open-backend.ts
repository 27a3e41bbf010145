import type { Backend } from "../../tensor/engine.ts";
import type { BackendChoice } from "../lm.ts";

/** A backend of the tensor engine; each is loaded only when it is asked for. */
export async function openBackend(_: BackendChoice): Promise<Backend> {
  const { jsBackend } = await import("../../tensor/js/js-backend.ts");
  return jsBackend;
}
