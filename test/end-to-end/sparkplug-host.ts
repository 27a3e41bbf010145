import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { programPath } from "../os-package.ts";

const PROGRAM = fileURLToPath(new URL("./sparkplug-host.py", import.meta.url));

/** A metric as the host decoded it. */
export interface HeardMetric {
  readonly name: string | null;
  /** Unix time, ms. */
  readonly timestamp: number;
  readonly value: number | string | boolean | null;
  readonly null: boolean;
  readonly historical: boolean;
  readonly transient: boolean;
  readonly properties: Readonly<Record<string, number | string | boolean | null>>;
}

/** A Sparkplug message as the host heard it, with the rules that it broke. */
export interface HeardMessage {
  readonly verb: string;
  readonly node: string;
  readonly device: string | null;
  readonly seq: number | null;
  /** Whether the host had the births that it needs to read it. */
  readonly known: boolean;
  readonly metrics: readonly HeardMetric[];
  readonly wrong: readonly string[];
}

/** A message on another topic. */
export interface HeardText {
  readonly topic: string;
  readonly text: string;
}

/** The independent host application of `sparkplug-host.py`, in a process of its own. */
export class SparkplugHost {
  readonly messages: HeardMessage[] = [];
  readonly texts: HeardText[] = [];
  connections = 0;
  readonly #child: ChildProcess;

  constructor(port: number, ...options: string[]) {
    this.#child = spawn(programPath("python3-sparkplug"), [PROGRAM, String(port), ...options], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.#child.stdout === null) return;
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as HeardMessage | HeardText | { readonly connected: boolean };
      if ("verb" in said) this.messages.push(said);
      else if ("topic" in said) this.texts.push(said);
      else this.connections += 1;
    });
  }

  say(command: "online" | "offline" | `rebirth ${string} ${string}`): void {
    this.#child.stdin?.write(`${command}\n`);
  }

  count(verb: string, device?: string): number {
    return this.messages.filter((one) => one.verb === verb && (device === undefined || one.device === device)).length;
  }

  /** Values of the channels of a device that came after its births, by Unix time in ms, then by channel. */
  values(device: string): Map<number, Map<string, HeardMetric>> {
    const rows = new Map<number, Map<string, HeardMetric>>();
    for (const { verb, device: from, metrics, known } of this.messages) {
      if (verb !== "DDATA" || from !== device || !known) continue;
      for (const metric of metrics) {
        if (metric.name === null || metric.name.startsWith("Lockstep/")) continue;
        const row = rows.get(metric.timestamp) ?? new Map<string, HeardMetric>();
        rows.set(metric.timestamp, row.set(metric.name, metric));
      }
    }
    return rows;
  }

  /** Every rule that was broken, with the message that broke it. */
  wrongs(): string[] {
    return this.messages.flatMap(({ verb, device, wrong }) => wrong.map((rule) => `${verb} ${device ?? ""}: ${rule}`));
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    clearTimeout(late);
  }
}
