#!/usr/bin/env node
import { homedir } from "node:os";
import { join } from "node:path";
import { main } from "../dist/cli.js";

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
  cacheFolder: join(homedir(), ".cache", "qemu-wasm-runner"),
});
