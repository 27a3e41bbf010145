#!/usr/bin/env node
import { homedir } from "node:os";
import { join } from "node:path";
import { main } from "../dist/cli.js";

const ENDING = ["SIGINT", "SIGTERM"];

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
