import { ownCopy } from '../base/check.js'
import type { NativeLayer } from '../native/binding.js'

/** A layer's parts in the flat vector, in order: weights unless it is tied, biases unless it has none. */
export function parameterShapes(layer: NativeLayer): {
  name: 'weights' | 'biases'
  shape: readonly number[]
}[] {
  const { inputs, outputs, tied, biases } = ownCopy(layer)
  return [
    ...(tied === undefined ? [{ name: 'weights' as const, shape: [outputs, inputs] }] : []),
    ...(biases === false ? [] : [{ name: 'biases' as const, shape: [outputs] }]),
  ]
}

/** The start of each layer's parameters in the flat vector, and at the end the total number. */
export function parameterOffsets(layers: readonly NativeLayer[]): number[] {
  const offsets = [0]
  for (const layer of layers) {
    const sizes = parameterShapes(layer).map(({ shape }) => shape.reduce((product, size) => product * size))
    offsets.push(sizes.reduce((sum, size) => sum + size, offsets.at(-1)!))
  }
  return offsets
}

/** A layer renumbered for a list that starts at `from`. */
export function within(layer: NativeLayer, from: number): NativeLayer {
  const { tied, ...untied } = layer
  if (tied === undefined || from === 0) return layer
  return ownCopy(tied >= from ? { ...untied, tied: tied - from } : { ...untied, transposed: true })
}
