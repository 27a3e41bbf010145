import { WORKLOADS } from "./workloads.ts";

/** What each kind of work of this release is, as it says itself: help is shown before any of them is loaded. */
const SUMMARIES: Readonly<Record<string, string>> = {
  distillation: "distil teachers into one small student, step by step",
  gradient: "train one language model on several workers, over thin wires",
  "language-model": "train a small language model from a text",
  lora: "teach patterns to a small Llama",
  telemetry: "compress recorded telemetry, or a device's past, every value within its bound",
  trajectory: "pack molecular-dynamics dumps, every value within its bound",
  "vector-index": "build compressed vector indexes, and search them",
};

/** The kinds of work that there are, for a command's help. */
export function workloadsHelp(): string {
  const rows = Object.keys(WORKLOADS).map((name) => `  ${name.padEnd(16)} ${SUMMARIES[name] ?? ""}`.trimEnd());
  return `Kinds of work:\n${rows.join("\n")}`;
}
