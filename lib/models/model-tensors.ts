import { allocateUnset, type FloatArray, type Precision } from '../base/precision.js'
import { formatError } from '../data/read-file.js'
import type { Places, Tensor, TensorEntry } from '../data/safetensors.js'
import type { NativeLayer } from '../native/binding.js'
import type { Network } from './network.js'
import { parameterOffsets, parameterShapes } from './parameter-layout.js'

/** The arrays of a file, and the file's name for messages. */
interface FileEntries {
  readonly name: string
  readonly entries: readonly TensorEntry[]
}

/** Name and shape of a tensor in a file. */
export interface NamedShape {
  readonly key: string
  readonly shape: readonly number[]
}

/**
 * Checks that the file's arrays are exactly those of the layers, in the model's precision.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` if they are not
 */
export function checkEntries(file: FileEntries, layers: readonly NativeLayer[], precision: Precision): void {
  checkTensors(file, namedShapes(layers), precision)
}

/**
 * Checks that the file's arrays are exactly these.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` if they are not
 */
export function checkTensors(
  { name, entries }: FileEntries,
  wanted: readonly NamedShape[],
  precision: Precision,
): void {
  const found = new Map(entries.map((entry) => [entry.name, entry]))
  for (const { key, shape } of wanted) {
    const entry = found.get(key)
    if (entry === undefined) throw formatError(name, `it has no tensor '${key}'`)
    if (entry.shape.join() !== shape.join()) {
      throw formatError(
        name,
        `tensor '${key}' is [${entry.shape.slice(0, 8).join(', ')}] instead of [${shape.join(', ')}]`,
      )
    }
    if (entry.type !== (precision === 'float64' ? 'F64' : 'F32')) {
      throw formatError(name, `tensor '${key}' is not ${precision}`)
    }
  }
  if (found.size !== wanted.length) {
    throw formatError(name, `it has ${found.size} tensors instead of ${wanted.length}`)
  }
}

/** Memory for flat parameters, and the places in it of the arrays accepted by {@link checkEntries}. */
export function roomFor<P extends Precision>(
  layers: readonly NativeLayer[],
  precision: P,
): { parameters: FloatArray<P>; places: Places } {
  const parameters = allocateUnset(precision, parameterOffsets(layers).at(-1)!, 'parameters')
  return { parameters, places: new Map(views(layers, parameters).map(({ name, data }) => [name, data])) }
}

/** A network's current parameters: `layers.0.weights` [outputs, inputs], `layers.0.biases` [outputs], … */
export function layerTensors<P extends Precision>({ layers, parameters }: Network<P>): Tensor[] {
  return views(layers, parameters)
}

/** The same of flat parameters. */
export function views(layers: readonly NativeLayer[], parameters: FloatArray): Tensor[] {
  let offset = 0
  return namedShapes(layers).map(({ key, shape }) => {
    const length = shape.reduce((product, size) => product * size)
    const data = parameters.subarray(offset, offset + length)
    offset += length
    return { name: key, shape, data }
  })
}

/** The tensors of layers, in the order of the flat parameters. A tied layer has no weights, one without biases no biases. */
export function namedShapes(layers: readonly NativeLayer[]): NamedShape[] {
  return layers.flatMap((layer, index) =>
    parameterShapes(layer).map(({ name, shape }) => ({ key: `layers.${index}.${name}`, shape })),
  )
}
