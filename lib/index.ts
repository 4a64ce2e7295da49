export { AnomalyDetector } from './anomaly/anomaly-detector.js'
export type {
  AnomalyDetectorOptions,
  AnomalyFitOptions,
  AnomalyHistory,
  AnomalyProgress,
  AnomalySettings,
} from './anomaly/anomaly-options.js'
export type { AnomalyAnswer, AnomalyAnswers, AnomalyUpdate, ScoresBatch } from './anomaly/answers.js'
export type { Drift } from './anomaly/drift.js'
export type { ExplainedColumn, ExplainOptions } from './anomaly/explanation.js'
export type { AnomalyBatches } from './anomaly/given-rows.js'
export type { TrainedOn } from './anomaly/recipe.js'
export type { Threshold } from './anomaly/threshold.js'
export { type ErrorCode, type ErrorDetails, LayerwiseError } from './base/errors.js'
export type {
  FloatArray,
  FloatInput,
  PlainFloat32Array,
  PlainFloat64Array,
  PlainUint8Array,
  PlainUint32Array,
  Precision,
  StoredArray,
} from './base/precision.js'
export type { StorageType } from './base/storage-type.js'
export type { CheckpointOptions } from './checkpoint/options.js'
export type { RowBatch } from './data/dataset/batch-numbers.js'
export { type OpenDatasetOptions, openDataset } from './data/dataset/open-dataset.js'
export type { RawLayout, RowFileOptions } from './data/dataset/row-file.js'
export type { RowBatches } from './data/dataset/source-batches.js'
export { type WriteDatasetOptions, type WriteProgress, writeDataset } from './data/dataset/write-dataset.js'
export { type Batch, Dataset, type VerifyOptions } from './data/dataset.js'
export type { DatasetLike } from './data/dataset-parts.js'
export type { Checksum, Segment } from './data/file-rows.js'
export { readIdx, readIdxLabels } from './data/idx.js'
export type { IntegerArray } from './data/integer-array.js'
export type {
  BigIntegerArray,
  Classes,
  Labels,
  Prediction,
  Predictions,
} from './data/labels.js'
export { type FromRowsOptions, Matrix, type Row } from './data/matrix.js'
export type { MatrixData, MatrixLike, MatrixOptions, NumberArray } from './data/matrix-data.js'
export { type NpyType, readNpy, type WriteNpyOptions, writeNpy } from './data/npy.js'
export { type PatchOptions, preparePatches, type RowPatchOptions, samplePatches } from './data/patches.js'
export type { RowWeights, RowWeightsOption } from './data/row-weights.js'
export type { DenseFittingRows, DenseRows, FittingRows, Rows, SingleRow } from './data/rows.js'
export type { Scaler } from './data/scaling/column-scaler.js'
export type { ScaledFolderOptions, ScaledOptions } from './data/scaling/mapped-rows.js'
export { MinMaxScaler, type MinMaxScalerOptions } from './data/scaling/min-max-scaler.js'
export { type ModelScaler, scalerFromJSON } from './data/scaling/scaler.js'
export type { MinMaxScalerJSON, ScalerJSON, StandardScalerJSON } from './data/scaling/scaler-json.js'
export { StandardScaler, type StandardScalerOptions } from './data/scaling/standard-scaler.js'
export { type IndexArray, SparseMatrix, type SparseMatrixLike } from './data/sparse-matrix.js'
export { type ConfusionPlotOptions, confusionPlot } from './inspect/confusion-plot.js'
export {
  type ExcitingInputsOptions,
  excitingInputs,
} from './inspect/exciting-inputs.js'
export {
  type FeatureImageOptions,
  type FeatureLayer,
  type FeatureModel,
  featureImage,
} from './inspect/feature-image.js'
export type { Image } from './inspect/image.js'
export { type CostHistory, type CostRecord, learningCurve } from './inspect/learning-curve.js'
export { type PlotOptions, plot, type Series } from './inspect/plot.js'
export { encodePng, writePng } from './inspect/png.js'
export { averagePrecision, type IsSought, rocAuc, type Scores } from './inspect/ranking.js'
export { type ReconstructionImageOptions, reconstructionImage } from './inspect/reconstruction-image.js'
export { type ScatterPlotOptions, scatterPlot } from './inspect/scatter-plot.js'
export type { TileOptions } from './inspect/tiles.js'
export { type LinearOptimum, type LinearOptimumOptions, linearOptimum } from './linear/linear-optimum.js'
export { principalAngles } from './linear/principal-angles.js'
export { principalAxes } from './linear/principal-axes.js'
export type { SingularVectors } from './linear/singular-vectors.js'
export { loadModel, type Model, modelFromBytes } from './loading/load-model.js'
export type { FolderOptions, LargestOptions } from './models/answers.js'
export type { CodesBatch, ErrorsBatch, RowsOrBatches } from './models/batches.js'
export type { LayeredModel } from './models/check-layers.js'
export type { ClassesBatch, ClassifierFitOptions, LabeledRows } from './models/classifier.js'
export type { SoftmaxOptions } from './models/classifier-options.js'
export type { CodeOptions } from './models/code-folder.js'
export type { EncodeOptions, OutOptions } from './models/encode-options.js'
export type { LargestErrors } from './models/largest.js'
export { LinearAutoencoder } from './models/linear-autoencoder.js'
export type {
  LinearAutoencoderOptions,
  LinearL2Sparsity,
  LinearSparsity,
} from './models/linear-autoencoder-options.js'
export type { JsonValue, ModelMetadata } from './models/metadata.js'
export type { Layer } from './models/network.js'
export type { CostOptions } from './models/network-model.js'
export { Pca, type PcaFitOptions } from './models/pca.js'
export type { PcaOptions, Whitening } from './models/pca-options.js'
export { type ResumedTraining, resumeTraining } from './models/resume.js'
export type { ResumedLayer, ResumeOptions } from './models/resume-options.js'
export type { Score, ScoreOptions } from './models/score.js'
export { SoftmaxClassifier, type SoftmaxClassifierOptions } from './models/softmax-classifier.js'
export { SparseAutoencoder } from './models/sparse-autoencoder.js'
export type { SparseAutoencoderOptions } from './models/sparse-autoencoder-options.js'
export { StackedAutoencoder } from './models/stacked-autoencoder.js'
export type { StackedAutoencoderOptions, StackedLayerOptions } from './models/stacked-autoencoder-options.js'
export { StackedClassifier, type StackedClassifierFitOptions } from './models/stacked-classifier.js'
export type {
  ClassifierLayerOptions,
  StackedClassifierOptions,
  ToClassifierOptions,
} from './models/stacked-classifier-options.js'
export type { StackedFitOptions } from './models/stacked-fit-options.js'
export type { TrainableModel } from './models/trainable-models.js'
export type { RunOptions } from './native/run-options.js'
export { type ConfigureOptions, configure, type RuntimeInfo, runtime } from './native/runtime.js'
export type { Activation } from './objective/activation.js'
export type { Corruption } from './objective/corruption.js'
export type { Cost, CostParts } from './objective/cost.js'
export type { Loss } from './objective/loss.js'
export type {
  Average,
  KlSparsity,
  L1Sparsity,
  L2Sparsity,
  NoSparsity,
  Sparsity,
  SparsityConstraint,
} from './objective/sparsity.js'
export type { WeightConstraint } from './objective/weight-constraint.js'
export type {
  ArrowRecordBatch,
  ArrowSchema,
  ArrowSource,
  ArrowTable,
  ArrowType,
  ArrowVector,
} from './tables/arrow.js'
export type { DuckdbConnection, DuckdbSource } from './tables/duckdb.js'
export type { TableBatches } from './tables/encoding/checked-batches.js'
export type { EncodedColumn, Surprise, TableValue } from './tables/encoding/encoded-column.js'
export type { TableEncoderJSON } from './tables/encoding/encoder-json.js'
export type {
  ColumnEncoding,
  HashEncoding,
  NumberEncoding,
  TableEncoderOptions,
} from './tables/encoding/encoder-options.js'
export {
  type ColumnGroup,
  type ColumnValue,
  type DroppedColumn,
  TableEncoder,
} from './tables/encoding/table-encoder.js'
export type {
  SurpriseEvent,
  TransformOptions,
  TransformSyncOptions,
} from './tables/encoding/transform-options.js'
export type { ReadTableOptions, TableFormat } from './tables/read-options.js'
export { type ReadableStreamLike, readTable, type TableSource } from './tables/read-table.js'
export { type SpooledTable, type SpoolOptions, spoolTable } from './tables/spool-table.js'
export type { SqliteDatabase, SqliteSource } from './tables/sqlite.js'
export type { Table } from './tables/table.js'
export type {
  BigIntColumn,
  BooleanColumn,
  ColumnType,
  DateColumn,
  DecimalColumn,
  ListColumn,
  NumberColumn,
  StringColumn,
  TableBatch,
  TableColumn,
} from './tables/table-batch.js'
export type { TableRow } from './tables/table-row.js'
export type {
  CostShares,
  PcaReconstruction,
  Reconstruction,
  TrainingDiagnosis,
  UnitCounts,
} from './training/diagnosis-record.js'
export type { EarlyStopping } from './training/early-stopping.js'
export type {
  EpochEvent,
  EpochRecord,
  FitProgress,
  Spread,
  TrainingHistory,
  TrainingPhase,
  ValidationRecord,
} from './training/history.js'
export type {
  Adam,
  FitOptions,
  GradientDescent,
  LayerFitOptions,
  Lbfgs,
  Momentum,
  WeightedRows,
} from './training/options.js'
export type { ConstantSchedule, CosineSchedule, Schedule, StepSchedule } from './training/schedule.js'
