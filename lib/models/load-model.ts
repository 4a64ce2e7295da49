import type { Precision } from '../base/precision.js'
import type { Classes } from '../data/labels.js'
import { LinearAutoencoder } from './linear-autoencoder.js'
import { type Restorer, readModel, readModelBytes } from './model-file.js'
import { Pca } from './pca.js'
import { SoftmaxClassifier } from './softmax-classifier.js'
import { SparseAutoencoder } from './sparse-autoencoder.js'
import { StackedAutoencoder } from './stacked-autoencoder.js'
import { StackedClassifier } from './stacked-classifier.js'

/** A model of any class. `kind` is its class: `if (model.kind === 'Pca')` narrows it. */
export type Model = TrainableModel | Pca<Precision>

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

const restorers: readonly Restorer<Model>[] = [...trainableRestorers, Pca.restorer]

/**
 * Reads a model of any class from the file that `save` wrote.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is no model file, or is truncated or damaged
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
 */
export async function loadModel(path: string | URL): Promise<Model> {
  return readModel(path, restorers)
}

/**
 * Restores a model of any class from the bytes of its `toBytes`, or of a file. They are copied.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link loadModel}; `ERR_ARGUMENT` for anything but a Uint8Array over an ordinary buffer
 * @throws {@link LayerwiseError} `ERR_STATE` if the buffer is transferred during the call
 */
export async function modelFromBytes(bytes: Uint8Array): Promise<Model> {
  return readModelBytes(bytes, restorers)
}
