import { formatError } from '../data/read-file.js'
import type { Precision } from '../precision.js'
import { type ModelFile, readModel, type Tensors } from './model-file.js'
import { SparseAutoencoder } from './sparse-autoencoder.js'

/** Any model of ours. */
export type Model = SparseAutoencoder<Precision>

const classes = new Map<string, (file: ModelFile) => (tensors: Tensors) => Model>([
  ['SparseAutoencoder', SparseAutoencoder.restorer],
])

/**
 * Reads a model of whatever class from the file that `save` wrote.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is not one of ours, is cut or damaged
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, with the system's error as `cause`, if it cannot be read
 */
export async function loadModel(path: string | URL): Promise<Model> {
  return readModel(path, (file) => {
    const restorer = classes.get(file.class)
    if (restorer === undefined) {
      throw formatError(
        file.name,
        `it holds a model of class '${file.class}', which this version does not know`,
      )
    }
    return restorer(file)
  })
}
