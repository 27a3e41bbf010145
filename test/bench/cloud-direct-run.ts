import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BenchError } from "./bench-error.ts";
import type { DirectAnswer, DirectOrder } from "./cloud-direct.ts";

/** One node without a broker, in a process of its own. */
export async function runDirect(order: DirectOrder): Promise<DirectAnswer> {
  const script = fileURLToPath(new URL("cloud-direct.ts", import.meta.url));
  const child = fork(script, [JSON.stringify(order)], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  return await new Promise((resolve, reject) => {
    child.once("message", (answer) => resolve(answer as DirectAnswer));
    child.once("exit", (code) => reject(new BenchError("no-answer", { name: "cloud-direct", exitCode: code ?? -1 })));
  });
}
