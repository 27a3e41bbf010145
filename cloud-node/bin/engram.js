#!/usr/bin/env node
/** `engram …` is `lockstep lora …`. */
process.argv.splice(2, 0, "lora");
await import("./lockstep.js");
