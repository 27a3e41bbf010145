/**
 * Brings a clone to the point where it runs: dependencies as the lock file says, WebAssembly, compiled TypeScript.
 *
 * npm runs it before `npm start` and `npm test`. This file only checks the Node that it got, in syntax that every
 * Node since 12 can read; the work is in `bootstrap/`.
 */
const OLDEST_NODE_MAJOR = 18;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE_MAJOR) {
  console.error(
    `lockstep: Node ${process.versions.node} is too old: install Node >= ${OLDEST_NODE_MAJOR}, then run this again`,
  );
  process.exit(1);
}
import("./bootstrap/main.js").then((module) => module.main());
