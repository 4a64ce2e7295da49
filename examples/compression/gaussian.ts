import { Matrix } from '../../lib/index.js'

/** Standard normal numbers, the same for the same seed. */
export function gaussians(seed: number): () => number {
  const uniform = uniforms(seed)
  // Box & Muller 1958, cosine half. 1 − u is never 0.
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** Rows of independent standard normal numbers. */
export function independentRows(rows: number, cols: number, seed: number): Matrix<Float32Array> {
  const next = gaussians(seed)
  return Matrix.from(Float32Array.from({ length: rows * cols }, next), rows, cols)
}

/**
 * Rows x = C s + noise · e of a few standard normal causes s and independent noise e. Every column has variance 1. The matrix C
 * depends on the shape only, so that other seeds give other rows of the same kind.
 */
export function correlatedRows(
  rows: number,
  cols: number,
  { causes, noise, seed }: { causes: number; noise: number; seed: number },
): Matrix<Float32Array> {
  const mixing = unitRows(cols, causes)
  const next = gaussians(seed)
  const x = new Float32Array(rows * cols)
  const signal = Math.sqrt(1 - noise ** 2)
  for (let i = 0; i < rows; i++) {
    const s = Array.from({ length: causes }, next)
    for (let j = 0; j < cols; j++) {
      const caused = s.reduce((sum, cause, k) => sum + cause * mixing[j]![k]!, 0)
      x[i * cols + j] = signal * caused + noise * next()
    }
  }
  return Matrix.from(x, rows, cols)
}

function unitRows(rows: number, cols: number): number[][] {
  const next = gaussians(0)
  return Array.from({ length: rows }, () => {
    const row = Array.from({ length: cols }, next)
    const norm = Math.hypot(...row)
    return row.map((value) => value / norm)
  })
}

/** Uniform on [0, 1): mulberry32, which has 2³² states and is good enough for examples. */
export function uniforms(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
