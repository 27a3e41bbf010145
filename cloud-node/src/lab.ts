/**
 * What benchmarks take apart: models, data and training of `lm`, methods and codes of `gradient`, adapters of `lora`,
 * teachers and students of `distillation`; and the lock by which one process at a time has a file. No interface: it changes
 * with any version.
 */
export { takeLock } from "./process-lock.ts";
export { BranchedModel } from "./workloads/distillation/branched-model.ts";
export { buildStudent } from "./workloads/distillation/build-student.ts";
export { capabilityOf } from "./workloads/distillation/capabilities.ts";
export { benchmarkOf, type Category } from "./workloads/distillation/capability.ts";
export { distilAdapter, distilBackbone, distilJointly, type Source } from "./workloads/distillation/distil.ts";
export { ExamplePool, takeExamples } from "./workloads/distillation/example-pool.ts";
export { makeTeacher } from "./workloads/distillation/make-teacher.ts";
export { PRESETS as DISTILLATION_PRESETS } from "./workloads/distillation/presets.ts";
export { forEachActivation, profileTeacher } from "./workloads/distillation/profile-teacher.ts";
export type { RunHooks } from "./workloads/distillation/run-hooks.ts";
export { scoreAnswers } from "./workloads/distillation/score.ts";
export { StreamingPca } from "./workloads/distillation/streaming-pca.ts";
export { openStudent } from "./workloads/distillation/student-answerer.ts";
export { subspaceAngle } from "./workloads/distillation/subspace-angle.ts";
export { loadTeacher } from "./workloads/distillation/teacher.ts";
export { openTeacher } from "./workloads/distillation/teacher-answerer.ts";
export { type CalibrationRequest, calibrate } from "./workloads/gradient/calibration.ts";
export type { CoderControl, CoderMode } from "./workloads/gradient/coder-mode.ts";
export { GradientCoder } from "./workloads/gradient/gradient-coder.ts";
export { GradientCore } from "./workloads/gradient/gradient-core.ts";
export { GradientError, type GradientErrorCode } from "./workloads/gradient/gradient-error.ts";
export {
  type GradientTensor,
  layoutCount,
  type PlacedTensor,
  placeTensors,
} from "./workloads/gradient/gradient-layout.ts";
export { GradientSurvey, type TensorVariance } from "./workloads/gradient/gradient-survey.ts";
export {
  LINK_SPEEDS,
  linkedSeconds,
  payingSpeed,
  payingText,
  type StepCost,
  speedText,
} from "./workloads/gradient/link-time.ts";
export { maskText } from "./workloads/gradient/mask-file.ts";
export {
  createMethod,
  type GradientMethod,
  type MethodOptions,
  type MethodState,
  PRESETS,
  type Preset,
  presetOptions,
} from "./workloads/gradient/method.ts";
export type { OuterOptions } from "./workloads/gradient/outer-step.ts";
export { PlacedCoder } from "./workloads/gradient/placed-coder.ts";
export type { PredictiveOptions } from "./workloads/gradient/predictive-method.ts";
export { type RehearsalRequest, type RehearsalResult, rehearse } from "./workloads/gradient/rehearsal.ts";
export { type MaskOptions, TopologyMask } from "./workloads/gradient/topology-mask.ts";
export type { Batch, BatchSource } from "./workloads/language-model/batch.ts";
export { Checkpoint } from "./workloads/language-model/checkpoint.ts";
export { initialValues } from "./workloads/language-model/initial-values.ts";
export { type ModelConfig, settleModel } from "./workloads/language-model/model-config.ts";
export { openBackend as openShardedBackend, type ShardedBackend } from "./workloads/language-model/open-backend.ts";
export { OptimizerSteps } from "./workloads/language-model/optimizer-step.ts";
export { type ParameterSpec, parameterSpecs } from "./workloads/language-model/parameters.ts";
export { checkRunConfig, parseRunConfig } from "./workloads/language-model/parse-run-config.ts";
export { RECIPES, type RunOptions } from "./workloads/language-model/recipes.ts";
export type { RunConfig } from "./workloads/language-model/run-config.ts";
export { prepareData, type RunData } from "./workloads/language-model/run-data.ts";
export type { RunSummary } from "./workloads/language-model/run-summary.ts";
export { ScalarModel } from "./workloads/language-model/scalar-model.ts";
export { TensorModel } from "./workloads/language-model/tensor-model.ts";
export { type RowPlan, recordLogits } from "./workloads/language-model/transformer-program.ts";
export { writeAdapter } from "./workloads/lora/adapter-file.ts";
export type { Comparison, Difference } from "./workloads/lora/compare-results.ts";
export { type FineTuned, fineTune } from "./workloads/lora/fine-tune.ts";
export { parseFineTuneOptions } from "./workloads/lora/fine-tune-options.ts";
export { Generator } from "./workloads/lora/generator.ts";
export { mergeAdapter } from "./workloads/lora/merge.ts";
export { loadModelFolder } from "./workloads/lora/model-folder.ts";
export { tokenizeExamples } from "./workloads/lora/tokenized-example.ts";
