/** A process that trains by `fit`, a window whenever it is told how many seconds; started by `crossing.ts`. */
import type { FitRequest } from './crossing.js'
import { rowsOf } from './data.js'
import { fitWindow, type WindowOptions } from './fit-window.js'
import { modelOf } from './training.js'

const { of, storage, threads } = JSON.parse(process.argv[2]!) as FitRequest
const { batchSize, learningRate } = of
const { matrix } = await rowsOf(of, storage)
const model = modelOf(of)
const fit = (options: WindowOptions) => model.fit(matrix, { ...options, batchSize, learningRate, threads })

process.on('message', async (seconds: number) => {
  process.send!(await fitWindow(fit, matrix.rows, batchSize, seconds))
})
process.send!(0)
