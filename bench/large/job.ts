import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Dataset } from '../../lib/index.js'
import type { LargeTable, Shape } from './tables.js'

/** A training on a data set, as the processes that take part read it from `job.json`. */
export interface Job extends Shape {
  readonly dataset: string
  /** The first rows of the data set, which all take. */
  readonly rows: number
  readonly inputs: number
  readonly learningRate: number
  readonly type: LargeTable['type']
  readonly scale: number
  /** Where the numbers of these rows lie. */
  readonly segments: readonly { readonly path: string; readonly offset: number; readonly rows: number }[]
}

const LEARNING_RATE = 1e-3

/** The folder in which the processes of a measurement leave what they found. */
export class JobFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'layerwise-large-'))
  readonly job: Job

  constructor(dataset: Dataset, path: string, { type, scale = 1 }: LargeTable, rows: number, shape: Shape) {
    const segments = dataset.slice(0, rows).segments.map((one) => ({
      path: one.path,
      offset: one.offset,
      rows: one.rows,
    }))
    this.job = {
      ...shape,
      dataset: path,
      rows,
      inputs: dataset.cols,
      learningRate: LEARNING_RATE,
      type,
      scale,
      segments,
    }
    writeFileSync(join(this.path, 'job.json'), JSON.stringify(this.job))
  }

  /** What a process left under this name, without `.f32`. */
  read(name: string): Float32Array {
    const bytes = readFileSync(join(this.path, `${name}.f32`))
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
