#!/usr/bin/env node
/** `nexus …` is `lockstep distill …`. */
process.argv.splice(2, 0, "distill");
await import("./lockstep.js");
