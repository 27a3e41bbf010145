/** `npm run reproduce`: every figure again; TypeScript, which Node 24 runs as it is. */
import { continueOnNode24 } from "../cloud-node/bin/node24.js";

await continueOnNode24(import.meta.url);
const { main } = await import("../test/reproduce/main.ts");
process.exitCode = await main(process.argv.slice(2));
