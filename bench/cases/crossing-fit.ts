/**
 * A process that trains by `fit` until it is killed, and prints the number of processed rows, one line for each report; started by
 * `crossing.ts`.
 */
import { writeSync } from 'node:fs'
import { rowsOf } from '../measuring/data.js'
import { rowsSeen } from '../measuring/fit-window.js'
import { modelOf } from './autoencoder.js'
import type { FitRequest } from './crossing.js'

const { of, storage, threads } = JSON.parse(process.argv[2]!) as FitRequest
const { batchSize, learningRate } = of
const { matrix } = await rowsOf(of, storage)
await modelOf(of).fit(matrix, {
  epochs: 1e9,
  batchSize,
  learningRate,
  threads,
  onProgress: (progress) => {
    writeSync(1, `${rowsSeen(progress, matrix.rows, batchSize)}\n`)
  },
})
