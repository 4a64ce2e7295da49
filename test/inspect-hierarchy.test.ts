import { describe, expect, test } from 'vitest'
import {
  type Activation,
  excitingInputs,
  featureImage,
  type Layer,
  Matrix,
  reconstructionImage,
  StackedAutoencoder,
  StackedClassifier,
  scatterPlot,
} from '../lib/index.js'
import { giveAway } from './give-away.js'
import { forward } from './oracle/layers.js'
import { numericGradient } from './oracle/numeric-gradient.js'
import { seeded } from './oracle/points.js'
import { expectError, thrown } from './refusal.js'
import { rejection, relativeDistance, sampleRows } from './sample.js'
import { tolerances } from './tolerances.js'
import { elementsOf } from './xml.js'

const INPUTS = 7

/** Four layers when unrolled, their weights large enough to bend. */
function stackOf(activation: Activation, precision: 'float32' | 'float64' = 'float64') {
  const stack = new StackedAutoencoder({
    inputs: INPUTS,
    layers: [
      { hidden: 6, activation, outputActivation: 'identity' },
      { hidden: 4, activation, outputActivation: activation },
    ],
    precision,
    seed: 5,
  })
  stack.setParameters(stack.parameters().map((value) => 2 * value) as never)
  return stack
}

const norm = (row: ArrayLike<number>) => Math.hypot(...Array.from(row))
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)

/** z of one unit of a layer, for a single input, by the oracle. */
function zOf(layers: readonly Layer[], layer: number, unit: number): (x: ArrayLike<number>) => number {
  const below = layers.slice(0, layer)
  const theta = below.flatMap(({ weights, biases }) => [...weights.data, ...biases])
  return (x) => forward(below as never, theta, x, 1).at(-1)!.z[unit]!
}

describe('the inputs that most excite the units', () => {
  test('of layer 1 are its weights at length 1', async () => {
    const stack = stackOf('sigmoid')
    const x = await excitingInputs(stack, { layer: 1 })
    const { weights } = stack.layers[0]!
    expect([x.rows, x.cols]).toEqual([6, INPUTS])
    for (let j = 0; j < 6; j++) {
      const expected = weights.row(j).data.map((value) => value / norm(weights.row(j).data))
      expect(relativeDistance(x.row(j).data, expected)).toBeLessThan(tolerances.handComputed.value)
    }
    expect(featureImage(x, { width: INPUTS })).toEqual(featureImage(stack, { width: INPUTS }))
  })

  test('of deeper linear layers are rows of the product of the matrices at length 1', async () => {
    const stack = stackOf('identity')
    const x = await excitingInputs(stack, { layer: 2, maxIterations: 1 })
    const [first, second] = stack.layers.map(({ weights }) => weights)
    for (let j = 0; j < 4; j++) {
      const product = Array.from({ length: INPUTS }, (_, i) =>
        Array.from(second!.row(j).data).reduce((sum, value, k) => sum + value * first!.row(k).data[i]!, 0),
      )
      const expected = product.map((value) => value / norm(product))
      expect(relativeDistance(x.row(j).data, expected)).toBeLessThan(tolerances.handComputed.value)
    }
  })

  test('of deeper layers lie in the ball, point along the gradient, and excite more than the start of the search and random inputs', async () => {
    for (const activation of ['sigmoid', 'tanh', 'elu', 'softplus'] as const) {
      const stack = stackOf(activation)
      for (const layer of [2, 3]) {
        const x = await excitingInputs(stack, { layer, tolerance: 1e-9, maxIterations: 2000 })
        const start = await excitingInputs(stack, { layer, maxIterations: 1 })
        const random = seeded(layer)
        for (let j = 0; j < x.rows; j++) {
          const z = zOf(stack.layers, layer, j)
          const gradient = numericGradient(z, x.row(j).data)
          expect(norm(x.row(j).data)).toBeLessThanOrEqual(1 + tolerances.handComputed.value)
          expect(1 - dot(gradient, x.row(j).data) / norm(gradient)).toBeLessThan(tolerances.climbed.value)
          expect(z(x.row(j).data)).toBeGreaterThanOrEqual(z(start.row(j).data))
          for (let trial = 0; trial < 100; trial++) {
            const direction = Array.from({ length: INPUTS }, () => random() - 0.5)
            const other = direction.map((value) => value / norm(direction))
            expect(z(other)).toBeLessThan(z(x.row(j).data))
          }
        }
      }
    }
  })

  test('point along the gradient where the layers below are of gelu or silu units', async () => {
    for (const activation of ['gelu', 'silu'] as const) {
      const layers = [
        { hidden: 6, activation, outputActivation: 'identity' },
        { hidden: 4, outputActivation: 'identity' },
      ] as const
      const stack = new StackedAutoencoder({ inputs: INPUTS, layers, precision: 'float64' })
      const x = await excitingInputs(stack, { layer: 2, tolerance: 1e-9, maxIterations: 2000 })
      for (let j = 0; j < x.rows; j++) {
        const gradient = numericGradient(zOf(stack.layers, 2, j), x.row(j).data)
        expect(1 - dot(gradient, x.row(j).data) / norm(gradient)).toBeLessThan(tolerances.climbed.value)
      }
    }
  })

  test('of gelu and silu units are refused, since their outputs fall before they rise', async () => {
    for (const activation of ['gelu', 'silu'] as const) {
      const error = await rejection(excitingInputs(stackOf(activation), { layer: 2 }))
      expectError(error, 'ERR_ARGUMENT', `never fall as its weighted sums grow, received '${activation}'`)
    }
  })

  test('of relu, satlin and leakyRelu layers excite at least as much as the weighted sum of lower features', async () => {
    for (const activation of ['relu', 'satlin', 'leakyRelu'] as const) {
      const stack = stackOf(activation)
      const x = await excitingInputs(stack, { layer: 2 })
      const { weights } = stack.layers[1]!
      const linear = stackOf('identity')
      const start = await excitingInputs(linear, { layer: 2 })
      for (let j = 0; j < weights.rows; j++) {
        const z = zOf(stack.layers, 2, j)
        expect(norm(x.row(j).data)).toBeLessThanOrEqual(1 + tolerances.handComputed.value)
        expect(z(x.row(j).data)).toBeGreaterThanOrEqual(z(start.row(j).data))
      }
    }
  })

  test('of a softmax layer increase the score of each class', async () => {
    const model = new StackedClassifier({
      inputs: INPUTS,
      layers: [{ hidden: 6 }],
      classes: 3,
      precision: 'float64',
    })
    const x = await excitingInputs(model, { layer: 2, tolerance: 1e-9, maxIterations: 2000 })
    for (let k = 0; k < 3; k++) {
      const gradient = numericGradient(zOf(model.layers, 2, k), x.row(k).data)
      expect(1 - dot(gradient, x.row(k).data) / norm(gradient)).toBeLessThan(tolerances.climbed.value)
    }
  })

  test('are those of the requested units, in the precision of the model', async () => {
    for (const precision of ['float32', 'float64'] as const) {
      const stack = stackOf('tanh', precision)
      const all = await excitingInputs(stack, { layer: 2 })
      const some = await excitingInputs(stack, { layer: 2, units: [3, 1] })
      expect(some.data).toBeInstanceOf(precision === 'float32' ? Float32Array : Float64Array)
      expect(some.rows).toBe(2)
      const close = precision === 'float32' ? tolerances.float32Activation : tolerances.handComputed
      expect(relativeDistance(some.row(0).data, all.row(3).data)).toBeLessThan(close.value)
      expect(relativeDistance(some.row(1).data, all.row(1).data)).toBeLessThan(close.value)
    }
  })

  test('are computed while the event loop runs, and not after an abort', async () => {
    const stack = stackOf('tanh')
    let turns = 0
    const counting = setInterval(() => turns++, 0)
    await excitingInputs(stack, { layer: 3, tolerance: 0, maxIterations: 200 })
    clearInterval(counting)
    expect(turns).toBeGreaterThan(0)

    const reason = new Error('enough')
    const controller = new AbortController()
    const { signal } = controller
    const climbing = excitingInputs(stack, { layer: 3, tolerance: 0, maxIterations: 1e6, signal })
    setTimeout(() => controller.abort(reason), 5)
    expect(await rejection(climbing)).toBe(reason)
  })

  test('refuse a wrong layer, unit, model or option', async () => {
    const stack = stackOf('tanh')
    const refused = async (options: object, name: string, model: unknown = stack) =>
      expectError(await rejection(excitingInputs(model as never, options as never)), 'ERR_ARGUMENT', name)
    await refused({}, 'layer')
    await refused({ layer: 0 }, 'layer')
    await refused({ layer: 5 }, 'layer')
    await refused({ layer: 1, units: [6] }, 'units[0]')
    await refused({ layer: 1, units: 3 }, 'units')
    await refused({ layer: 1, maxIterations: 0 }, 'maxIterations')
    await refused({ layer: 1, tolerance: -1 }, 'tolerance')
    await refused({ layer: 1, unit: 3 }, "'unit'")
    await refused({ layer: 1 }, 'model', {})
    await refused({ layer: 1 }, 'model', null)
    await refused({ layer: 2, units: new Array(2) }, 'units[0]')
    const [first, second] = stack.layers
    const { biases: _, ...unbiased } = first!
    for (const layers of [[], new Array(1), [unbiased], [{ ...first, outputs: 1 }], [first, first]]) {
      await refused({ layer: 1 }, 'model', { layers })
    }
    await refused({ layer: 1 }, 'model.layers[1]: expected a layer', {
      layers: [first, { ...second, activation: 'toString' }],
    })
    expectError(await rejection(excitingInputs(stack, { layer: 1, units: [] })), 'ERR_SHAPE', 'units')
  })
})

describe('reconstructions layer by layer', () => {
  test('go through the decoders below the layer, and at the last layer are those of the whole stack', async () => {
    const stack = stackOf('sigmoid')
    const x = sampleRows(5, INPUTS)
    const byLayer = []
    for (const layer of [1, 2]) byLayer.push(await stack.decode(await stack.encode(x, { layer }), { layer }))
    const whole = await stack.reconstruct(x)
    expect(relativeDistance(byLayer[1]!.data, whole.data)).toBeLessThan(tolerances.handComputed.value)

    const [encoder, , , decoder] = stack.layers
    const theta = [encoder!, decoder!].flatMap(({ weights, biases }) => [...weights.data, ...biases])
    const expected = forward([encoder!, decoder!] as never, theta, x.data, 5).at(-1)!.a
    expect(relativeDistance(byLayer[0]!.data, expected)).toBeLessThan(tolerances.handComputed.value)
    expectError(await rejection(stack.decode(byLayer[0]!, { layer: 3 })), 'ERR_ARGUMENT', 'layer')
    expectError(await rejection(stack.decode([[1, 2]], { layer: 1 })), 'ERR_SHAPE', 'codes')
  })

  test('are drawn one under the other', () => {
    const [x, once, twice] = [0, 0.2, 1].map((value) => Matrix.from(Float32Array.of(value, value), 2, 1))
    const { width, height, data } = reconstructionImage(x!, [once!, twice!], { width: 1, gap: 0 })
    expect([width, height, ...data]).toEqual([2, 3, 0, 0, 51, 51, 255, 255])
    expectError(
      thrown(() => reconstructionImage(x!, [once!, x!.slice(0, 1)], { width: 1 })),
      'ERR_SHAPE',
      'reconstructions[1]',
    )
    expectError(
      thrown(() => reconstructionImage(x!, [], { width: 1 })),
      'ERR_SHAPE',
      'reconstructions',
    )
  })
})

describe('a scatter plot', () => {
  const points = Matrix.from(Float64Array.of(0, 0, 1, 1, 0.5, 0.5, 1, 0), 4, 2)
  const drawn = (svg: string) => {
    const elements = elementsOf(svg)
    const paths = elements.filter(({ attributes }) => attributes['stroke-linecap'] !== undefined)
    const dots = paths.map(({ attributes }) =>
      attributes
        .d!.split('M')
        .slice(1)
        .map((dot) => dot.replace('h0', '').split(' ').map(Number)),
    )
    const texts = elements.filter(({ name }) => name === 'text').map(({ text }) => text)
    return { paths, dots, texts }
  }

  test('has a dot for each point, in the colour of its class, and a legend', () => {
    const { paths, dots, texts } = drawn(scatterPlot(points, [3, 1, 3, 3], { title: 'codes' }))
    expect(dots.map(({ length }) => length)).toEqual([1, 3, 1, 1])
    const [one, three, oneLegend, threeLegend] = paths.map(({ attributes }) => attributes.stroke)
    expect([oneLegend, threeLegend]).toEqual([one, three])
    expect(one).not.toBe(three)
    expect(texts).toEqual(expect.arrayContaining(['1', '3', 'codes']))

    const [[left, bottom], [middle, centre], [right, low]] = dots[1] as [number[], number[], number[]]
    const [[, top]] = dots[0] as [number[]]
    expect(middle! - left!).toBeCloseTo(right! - middle!, 1)
    expect(bottom! - centre!).toBeCloseTo(centre! - top!, 1)
    expect(low).toBe(bottom)
  })

  test('accepts classes by name, and by number if they have names', () => {
    const names = ['cat', 'dog', 'owl']
    const byName = scatterPlot(points, ['dog', 'cat', 'dog', 'dog'], { classes: names })
    expect(scatterPlot(points, Uint8Array.of(1, 0, 1, 1), { classes: names })).toBe(byName)
    const { dots, texts } = drawn(byName)
    expect(dots.map(({ length }) => length)).toEqual([1, 3, 1, 1, 1])
    expect(texts.slice(-3)).toEqual(names)
    expect(drawn(scatterPlot(points, ['dog', 'cat', 'dog', 'dog'])).texts.slice(-2)).toEqual(['dog', 'cat'])
  })

  test('uses other shapes for more than ten classes, and omits points that cannot be shown', () => {
    const many = Matrix.from(
      new Float64Array(24).map((_, i) => i),
      12,
      2,
    )
    const { paths } = drawn(
      scatterPlot(
        many,
        Array.from({ length: 12 }, (_, k) => k),
      ),
    )
    expect(paths.slice(9, 11).map(({ attributes }) => attributes['stroke-linecap'])).toEqual([
      'round',
      'square',
    ])
    const looks = paths
      .slice(0, 12)
      .map(({ attributes }) => attributes.stroke! + attributes['stroke-linecap']!)
    expect(new Set(looks).size).toBe(12)

    const holes = Matrix.from(Float64Array.of(NaN, 0, 1, 1, Infinity, 2, 1, 2), 4, 2)
    expect(drawn(scatterPlot(holes, [0, 0, 0, 0])).dots[0]).toHaveLength(2)
    const empty = scatterPlot(Matrix.from(new Float64Array(0), 0, 2), [])
    expect(elementsOf(empty)[0]!.name).toBe('svg')
  })

  test('applies the scale of a Matrix of bytes', () => {
    const bytes = Matrix.from(Uint8Array.of(0, 0, 255, 255), 2, 2, { scale: 1 / 255 })
    const floats = Matrix.from(Float64Array.of(0, 0, 1, 1), 2, 2)
    expect(scatterPlot(bytes, [0, 1])).toBe(scatterPlot(floats, [0, 1]))
  })

  test('refuses other shapes, labels and options', () => {
    const run = (labels: unknown, options?: object, matrix: unknown = points) =>
      thrown(() => scatterPlot(matrix as Matrix, labels as number[], options))
    const labels = [0, 1, 0, 1]
    expectError(run(labels, {}, [[1, 2]]), 'ERR_ARGUMENT', 'points')
    expectError(run([0, 1], {}, Matrix.from(new Float64Array(6), 2, 3)), 'ERR_SHAPE', 'points')
    const gone = Matrix.from(new Float32Array(8), 4, 2)
    giveAway(gone.data)
    expectError(run(labels, {}, gone), 'ERR_ARGUMENT', 'points')
    expectError(run([0, 1]), 'ERR_SHAPE', 'labels')
    expectError(run('0101'), 'ERR_ARGUMENT', 'labels')
    expectError(run([0, 1, 0.5, 1]), 'ERR_ARGUMENT', 'labels[2]')
    expectError(run([0, 'b', 1, 1]), 'ERR_ARGUMENT', 'labels[1]')
    expectError(run(['a', 1, 'b', 'b']), 'ERR_ARGUMENT', 'labels[1]')
    expectError(run([0, 1, 2, 1], { classes: ['a', 'b'] }), 'ERR_ARGUMENT', 'labels[2]')
    expectError(run(labels, { classes: ['a', 'a'] }), 'ERR_ARGUMENT', 'classes[1]')
    expectError(run(labels, { classes: new Array(2) }), 'ERR_ARGUMENT', 'classes[0]')
    expectError(run(labels, { classes: 2 }), 'ERR_ARGUMENT', 'classes')
    expectError(run(labels, { dot: 0 }), 'ERR_ARGUMENT', 'dot')
    expectError(run(labels, { yScale: 'log' }), 'ERR_ARGUMENT', 'yScale')
  })
})
