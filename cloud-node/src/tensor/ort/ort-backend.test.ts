import { engineSuite } from "../engine.suite.ts";
import { ortBackend } from "./ort-backend.ts";

engineSuite(ortBackend);
