import type { Precision } from '../base/precision.js'
import type { Classes } from '../data/labels.js'
import { LinearAutoencoder } from './linear-autoencoder.js'
import type { Restorer } from './model-file.js'
import { SoftmaxClassifier } from './softmax-classifier.js'
import { SparseAutoencoder } from './sparse-autoencoder.js'
import { StackedAutoencoder } from './stacked-autoencoder.js'
import { StackedClassifier } from './stacked-classifier.js'

/** A model of a class that trains step by step. */
export type TrainableModel =
  | SparseAutoencoder<Precision>
  | StackedAutoencoder<Precision>
  | SoftmaxClassifier<Precision, Classes>
  | StackedClassifier<Precision, Classes>
  | LinearAutoencoder<Precision>

/** How they are restored. */
export const trainableRestorers: readonly Restorer<TrainableModel>[] = [
  SparseAutoencoder.restorer,
  StackedAutoencoder.restorer,
  SoftmaxClassifier.restorer,
  StackedClassifier.restorer,
  LinearAutoencoder.restorer,
]
