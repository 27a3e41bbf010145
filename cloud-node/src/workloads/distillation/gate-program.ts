/**
 * The program of the process that asks a student: it may read the student and the benchmarks, and no other data, and it has no
 * network. First it makes sure of both; then it answers. One JSON object on standard output.
 */
import { channel } from "node:diagnostics_channel";
import { statSync, writeSync } from "node:fs";
import { registerHooks } from "node:module";
import { connect } from "node:net";
import type { GateAnswer, GateRequest } from "./gate-messages.ts";

/** Modules that could reach anybody. */
const NETWORK = /^(?:node:)?(?:net|tls|http|https|http2|dgram|dns|inspector|child_process|cluster)(?:\/|$)/;
const STANDARD_OUTPUT = 1;
/** Nobody listens there; where there is no network, it cannot even be asked. */
const PROBE_PORT = 1;

const request = JSON.parse(process.argv[2] ?? "") as GateRequest;
/** Files that something asked for and may not read, since the probes. */
const denied: string[] = [];
const files = request.former.map((path) => probeFile(path));
const network = await probeNetwork();
sealNetwork();
channel("node:permission-model:fs").subscribe((message) => {
  denied.push(String((message as { readonly resource?: unknown }).resource));
});
const { answerBenchmarks } = await import("./gate-answers.ts");
const { answers, adapters } = await answerBenchmarks(request.student, request.benchmarks);
const result: GateAnswer = { files, network, denied, answers, adapters };
writeSync(STANDARD_OUTPUT, JSON.stringify(result));

/** Whether the path is out of reach, and not only gone. */
function probeFile(path: string): GateAnswer["files"][number] {
  try {
    statSync(path);
    return "readable";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_ACCESS_DENIED" ? "denied" : "absent";
  }
}

/** `absent` where there is no network at all; `sealed` where only this program's modules for it are. */
async function probeNetwork(): Promise<GateAnswer["network"]> {
  const code = await new Promise<string>((resolve) => {
    const socket = connect(PROBE_PORT, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });
  return code === "ENETUNREACH" || code === "ENETDOWN" || code === "EHOSTUNREACH" ? "absent" : "sealed";
}

/** From here on, who asks for a module that could reach anybody does not get it. */
function sealNetwork(): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      if (NETWORK.test(specifier)) throw new RangeError(`the gate has no network: ${specifier}`);
      return next(specifier, context);
    },
  });
  const { getBuiltinModule } = process;
  process.getBuiltinModule = ((id: string) => (NETWORK.test(id) ? undefined : getBuiltinModule(id))) as never;
  for (const name of ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"]) Reflect.deleteProperty(globalThis, name);
}
