/** `node scripts/screenshots.js [FOLDER]`: pictures of the page for the README, by Chromium, of a demo that it starts. */
import { continueOnNode24 } from "../cloud-node/bin/node24.js";

await continueOnNode24(import.meta.url);
const { takeScreenshots } = await import("../test/bench/screenshots.ts");
await takeScreenshots(process.argv[2] ?? "docs/screenshots");
