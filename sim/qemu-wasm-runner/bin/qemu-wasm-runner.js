#!/usr/bin/env node
import { homedir } from "node:os";
import { join } from "node:path";
import { main } from "../dist/cli.js";

const ENDING = ["SIGINT", "SIGTERM"];

// Whoever read standard output has seen enough: an ending, as Ctrl-C is. What runs is ended as this process exits.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  outBytes: (bytes) => process.stdout.write(bytes),
  error: (text) => process.stderr.write(text),
  input: process.stdin,
  cacheFolder: join(homedir(), ".cache", "qemu-wasm-runner"),
  onInterrupt: (act) => {
    for (const signal of ENDING) process.on(signal, act);
    return () => {
      for (const signal of ENDING) process.off(signal, act);
    };
  },
});
