import type { Classes } from '../data/labels.js'
import type { Precision } from '../precision.js'
import { LinearAutoencoder } from './linear-autoencoder.js'
import { type Restorer, readModel } from './model-file.js'
import { Pca } from './pca.js'
import { SoftmaxClassifier } from './softmax-classifier.js'
import { SparseAutoencoder } from './sparse-autoencoder.js'
import { StackedAutoencoder } from './stacked-autoencoder.js'
import { StackedClassifier } from './stacked-classifier.js'

/** Any model of ours. */
export type Model =
  | SparseAutoencoder<Precision>
  | StackedAutoencoder<Precision>
  | SoftmaxClassifier<Precision, Classes>
  | StackedClassifier<Precision, Classes>
  | LinearAutoencoder<Precision>
  | Pca<Precision>

const restorers: readonly Restorer<Model>[] = [
  SparseAutoencoder.restorer,
  StackedAutoencoder.restorer,
  SoftmaxClassifier.restorer,
  StackedClassifier.restorer,
  LinearAutoencoder.restorer,
  Pca.restorer,
]

/**
 * Reads a model of whatever class from the file that `save` wrote.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is not one of ours, is cut or damaged
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
 */
export async function loadModel(path: string | URL): Promise<Model> {
  return readModel(path, restorers)
}
