import { describeOn } from "../backend.suite.ts";
import { dropoutSuite } from "../dropout.suite.ts";
import { engineSuite } from "../engine.suite.ts";
import { ortBackend } from "./ort-backend.ts";

describeOn("ort")("in ONNX Runtime", () => {
  engineSuite(ortBackend);
  dropoutSuite(ortBackend);
});
