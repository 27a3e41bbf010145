/**
 * The program of the process that asks a student: it may read the student and the benchmarks, and no other data, and it has no
 * network. First it looks whether both are so; then it answers. One JSON object on standard output.
 */
import { statSync, writeSync } from "node:fs";
import { connect } from "node:net";
import type { GateAnswer, GateRequest } from "./gate-messages.ts";
import { sealProcess } from "./gate-seal.ts";

const STANDARD_OUTPUT = 1;
/** Nobody listens there; where there is no network, it cannot even be asked. */
const PROBE_PORT = 1;
/** Where even what is sent to oneself is lost, nobody waits for it. */
const PROBE_MS = 2000;
const KIB_OF_MIB = 1024;

const request = JSON.parse(process.argv[2] ?? "") as GateRequest;
const files = request.former.map((path) => probeFile(path));
const network = await probeNetwork();
const denied: string[] = [];
sealProcess(denied);
const { answerBenchmarks } = await import("./gate-answers.ts");
const { answers, adapters } = await answerBenchmarks(request.student, request.benchmarks);
const peakMB = Math.ceil(process.resourceUsage().maxRSS / KIB_OF_MIB);
const result: GateAnswer = { files, network, denied, peakMB, answers, adapters };
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

/** `absent` where there is no network at all; `sealed` where only this program's ways to it are. */
async function probeNetwork(): Promise<GateAnswer["network"]> {
  const code = await new Promise<string>((resolve) => {
    const socket = connect(PROBE_PORT, "127.0.0.1");
    const end = (said: string) => {
      socket.destroy();
      resolve(said);
    };
    socket.setTimeout(PROBE_MS, () => end("lost"));
    socket.on("connect", () => end("connected"));
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? ""));
  });
  return code === "ENETUNREACH" || code === "ENETDOWN" || code === "EHOSTUNREACH" ? "absent" : "sealed";
}
