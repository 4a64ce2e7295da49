import { readFile } from 'node:fs/promises'
import { Matrix } from '../../lib/index.js'

const DATA = new URL('../../.deps/words/', import.meta.url)
const WIDTH = 100

/** Words and their vectors, one a row. */
export interface Words {
  readonly words: readonly string[]
  readonly vectors: Matrix<Float32Array>
}

/** 20,000 English words with their vectors of GloVe (Pennington, Socher & Manning 2014; in the public domain). */
export async function gloveWords(): Promise<Words> {
  const [text, bytes] = await Promise.all([
    readFile(new URL('words.txt', DATA), 'utf8'),
    readFile(new URL('vectors.f32', DATA)),
  ])
  const words = text.trimEnd().split('\n')
  const vectors = new Float32Array(Uint8Array.from(bytes).buffer)
  return { words, vectors: Matrix.from(vectors, words.length, WIDTH) }
}

/** Vectors that are made: sums of 100 directions whose weights fall, as the variances of word vectors do. */
export function madeWords(count: number): Words {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state + 0.5) / 2 ** 32
  }
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
  const directions = Array.from({ length: WIDTH }, (_, k) =>
    Float32Array.from({ length: WIDTH }, () => normal() / Math.sqrt(WIDTH * (1 + k))),
  )
  const vectors = new Float32Array(count * WIDTH)
  for (let i = 0; i < count; i++) {
    for (const direction of directions) {
      const weight = normal()
      for (let j = 0; j < WIDTH; j++) vectors[i * WIDTH + j]! += weight * direction[j]!
    }
  }
  return {
    words: Array.from({ length: count }, (_, i) => `word ${i}`),
    vectors: Matrix.from(vectors, count, WIDTH),
  }
}
