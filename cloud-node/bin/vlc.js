#!/usr/bin/env node
/** `vlc index …` is `lockstep vector-index index …`; so are `vlc eval` and `vlc info`. */
process.argv.splice(2, 0, "vector-index");
await import("./lockstep.js");
