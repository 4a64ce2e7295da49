import { AnomalyDetector } from '../anomaly/anomaly-detector.js'
import type { Precision } from '../base/precision.js'
import { type Restorer, readModel, readModelBytes } from '../models/model-file.js'
import { Pca } from '../models/pca.js'
import { type TrainableModel, trainableRestorers } from '../models/trainable-models.js'

/** A model of any class. `kind` is its class: `if (model.kind === 'Pca')` narrows it. */
export type Model = TrainableModel | Pca<Precision> | AnomalyDetector

const restorers: readonly Restorer<Model>[] = [...trainableRestorers, Pca.restorer, AnomalyDetector.restorer]

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
