import { engineSuite } from "../engine.suite.ts";
import { wasmRelaxedBackend, wasmStrictBackend } from "./wasm-backend.ts";

engineSuite(wasmStrictBackend);
engineSuite(wasmRelaxedBackend);
