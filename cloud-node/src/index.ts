/**
 * The cloud's end: ingest, twins, store and jobs.
 *
 * @packageDocumentation
 */
export { AccessError, type AccessErrorCode } from "./access/access-error.ts";
export type { BrokerLogin } from "./access/broker-login.ts";
export { type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from "./access/connection-limits.ts";
export { type AddedDevice, DeviceBook, type DeviceCredentials, type KnownDevices } from "./access/device-book.ts";
export type { BookDevice } from "./access/device-book-file.ts";
export type { DeviceRateLimits } from "./access/device-rates.ts";
export type { Speakers } from "./access/speaker-gate.ts";
export { readTlsFiles, type TlsFileNames, type TlsFiles } from "./access/tls-files.ts";
export { BrokerError, type BrokerErrorCode } from "./broker/broker-error.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";
export type { DriverOptions } from "./driver-line.ts";
export type { ChannelBuckets } from "./history/bucket-sums.ts";
export type { Buckets } from "./history/buckets.ts";
export { type GapPage, History, type HistoryRange, type HistorySample, openHistory } from "./history/history.ts";
export { HistoryError, type HistoryErrorCode } from "./history/history-error.ts";
export type { HistoryThread } from "./history/history-thread.ts";
export type { Nearest } from "./history/nearest.ts";
export type { RowBlock } from "./history/row-blocks.ts";
export type { Run, RunKind } from "./history/run.ts";
export type { TimeRange } from "./history/time-range.ts";
export type { Pressure, PressureCause } from "./ingest/back-pressure.ts";
export type { LoopbackEnd } from "./ingest/loopback-link.ts";
export type { LinkKeys } from "./ingest/seal-guard.ts";
export type { SerialEnd } from "./ingest/serial-listener.ts";
export type { BlobFacts, BlobProgress, BlobRef, BlobStore, GetOptions, PutOptions } from "./jobs/blob-store.ts";
export {
  type Job,
  type JobFailure,
  type JobProgress,
  type JobResult,
  type JobSpec,
  type JobState,
  type Json,
  type JsonObject,
  MAX_INPUTS,
  MAX_OUTPUTS,
  MAX_PARAMS_BYTES,
  MAX_RESULT_BYTES,
  type NamedBlob,
} from "./jobs/job.ts";
export { JobError, type JobErrorCode } from "./jobs/job-error.ts";
export type { JobEvent, JobFilter, JobLease, JobQueue, SubmitOptions } from "./jobs/job-queue.ts";
export type { QueuePace } from "./jobs/job-steps.ts";
export { type OpenQueue, openQueue } from "./jobs/open-queue.ts";
export {
  type JobChannel,
  type JobContext,
  MAX_MESSAGE_BYTES,
  type PeerNews,
  type Schema,
  type Workload,
} from "./jobs/workload.ts";
export { type Logger, SILENT_LOGGER } from "./logger.ts";
export { CloudNode, type CommitListener, type NodeHealth } from "./node.ts";
export { DEFAULT_GROUP } from "./node-doors.ts";
export type { BrokerOptions, CloudNodeOptions, NodeLoad } from "./node-options.ts";
export { PortError, type PortErrorCode } from "./port-error.ts";
export { type AckPolicy, DEFAULT_ACK_POLICY } from "./reconstructor/ack-policy.ts";
export type { ModuleFacts, ModuleSource } from "./reconstructor/module-registry.ts";
export type { NodeEvent, NodeEventListener, UpdateEventStep } from "./reconstructor/node-event.ts";
export type { RefusedDevice } from "./reconstructor/refused-device.ts";
export type { SealRefusal } from "./reconstructor/seal-refusal.ts";
export type { FreshTraffic } from "./reconstructor/traffic-ledger.ts";
export type {
  ChannelSample,
  SampleState,
  Traffic,
  TransportKind,
  TwinSample,
  TwinStatus,
  TwinView,
} from "./reconstructor/twin-view.ts";
export type { Retention } from "./store/retention-timer.ts";
export type { GapReason, StoredEpoch, StoredGap, StoredTraffic, TrafficSum } from "./store/store.ts";
export { StoreError, type StoreErrorCode } from "./store/store-error.ts";

export { type DataParallelOptions, loadDataParallel } from "./tensor/data-parallel.ts";
export type { Backend, BackendName, DropoutDraw, Engine, ParameterPart, TrainOutcome } from "./tensor/engine.ts";
export { jsBackend } from "./tensor/js/js-backend.ts";
export type { KernelName, Kernels } from "./tensor/kernels.ts";
export type { AttentionShape, RopeShape } from "./tensor/operations/attention.ts";
export type { Dropout, DropoutOptions } from "./tensor/operations/dropout.ts";
export type { MatmulOptions } from "./tensor/operations/matmul.ts";
export type { AdamWGroup, MuonGroup, OptimizerStep } from "./tensor/optimizer.ts";
export { ortBackend } from "./tensor/ort/ort-backend.ts";
export type {
  KernelArgument,
  KernelCall,
  MeanLoss,
  Program,
  ProgramConstant,
  ProgramDropout,
  ProgramInput,
  ProgramParameter,
} from "./tensor/program.ts";
export { ProgramBuilder } from "./tensor/program-builder.ts";
export { normalNumbers, RandomStream, uniformNumbers } from "./tensor/random.ts";
export type { Address, Section, Tensor } from "./tensor/tensor.ts";
export { TensorError, type TensorErrorCode } from "./tensor/tensor-error.ts";
export type { TensorBuild, VectorBits } from "./tensor/wasm/tensor-module.ts";
export { wasmBackend, wasmRelaxedBackend, wasmStrictBackend } from "./tensor/wasm/wasm-backend.ts";
export { type WebGpuBackend, webGpuBackend } from "./tensor/webgpu/webgpu-backend.ts";

export type { Box, BoxShape } from "./workloads/trajectory/box.ts";
export type { ColumnRoom } from "./workloads/trajectory/column-arena.ts";
export { type ColumnBound, ContainerReader } from "./workloads/trajectory/container-reader.ts";
export type { ContainerDamage } from "./workloads/trajectory/container-scan.ts";
export {
  ContainerWriter,
  type PackOptions,
  type WrittenBound,
  type WrittenChunk,
} from "./workloads/trajectory/container-writer.ts";
export { type DumpInput, fileInput, streamInput } from "./workloads/trajectory/dump-input.ts";
export { DumpWriter } from "./workloads/trajectory/dump-writer.ts";
export { type EpsRule, type EpsRules, parseEpsRules } from "./workloads/trajectory/eps-rules.ts";
export type {
  Column,
  FrameSource,
  NumberColumn,
  TextColumn,
  TrajectoryFrame,
} from "./workloads/trajectory/frame.ts";
export type {
  BoundMode,
  CodedGroup,
  EscapeList,
  GroupSource,
  Move,
} from "./workloads/trajectory/group-codec.ts";
export { encodeGroup } from "./workloads/trajectory/group-encode.ts";
export { type DumpReadOptions, readDump } from "./workloads/trajectory/read-dump.ts";
export { type CoreBuild, type CoreExports, TrajectoryCore } from "./workloads/trajectory/trajectory-core.ts";
export {
  TrajectoryError,
  type TrajectoryErrorCode,
  type TrajectoryPlace,
} from "./workloads/trajectory/trajectory-error.ts";
export { type BuildOptions, type BuildReport, buildIndex } from "./workloads/vector-index/build-index.ts";
export type { BuildProgress } from "./workloads/vector-index/build-progress.ts";
export { addVectors, type ChangeOptions, deleteVectors } from "./workloads/vector-index/change-index.ts";
export { type DecodedBlock, decodeIndex } from "./workloads/vector-index/decode-index.ts";
export { type ExactNeighbours, type ExactOptions, searchExact } from "./workloads/vector-index/exact-search.ts";
export { type IndexAccount, type IndexPart, indexAccount } from "./workloads/vector-index/index-account.ts";
export type { CodingError, IndexFacts, SectionPlace, SegmentFacts } from "./workloads/vector-index/index-facts.ts";
export { IndexFile, type ListRange } from "./workloads/vector-index/index-file.ts";
export { type ListBalance, listBalance } from "./workloads/vector-index/list-balance.ts";
export { type MaintainOptions, type MaintainReport, maintainIndex } from "./workloads/vector-index/maintain-index.ts";
export type { BitGroup, IndexModel, Metric } from "./workloads/vector-index/model.ts";
export { openVectors, type VectorFileOptions } from "./workloads/vector-index/open-vectors.ts";
export { type Answers, recallAt } from "./workloads/vector-index/recall.ts";
export { Searcher } from "./workloads/vector-index/search.ts";
export { SearchPool } from "./workloads/vector-index/search-pool.ts";
export type {
  Neighbours,
  RankedNeighbours,
  RerankKind,
  RerankTier,
  SearchOptions,
  SearchSegment,
} from "./workloads/vector-index/search-segment.ts";
export { type TrainedModel, trainModel } from "./workloads/vector-index/train-model.ts";
export type {
  AnnealingStep,
  RobustMean,
  TrainCheckpoint,
  TrainDevice,
  TrainOptions,
  TrainProgress,
} from "./workloads/vector-index/train-options.ts";
export {
  VectorIndexError,
  type VectorIndexErrorCode,
  type VectorIndexPlace,
} from "./workloads/vector-index/vector-index-error.ts";
export { sourceOfArray, type VectorSource, type VectorType } from "./workloads/vector-index/vector-source.ts";
