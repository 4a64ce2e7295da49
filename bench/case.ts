/** One case in a process of its own, started by `run.ts`, which receives what was measured as a message. */
import { trainingCases } from './cases.js'
import type { Storage } from './data.js'
import { type EncodeResult, measureEncoding } from './encode.js'
import { type Effort, measureTraining, type TrainingResult } from './training.js'

export interface CaseRequest extends Effort {
  readonly name: string
  readonly storage: Storage
}

export type CaseResult = TrainingResult | EncodeResult

const request = JSON.parse(process.argv[2]!) as CaseRequest
const training = trainingCases.find(({ name }) => name === request.name)
const result: CaseResult = training
  ? await measureTraining(training, request.storage, request)
  : await measureEncoding(request.storage, request)
process.send!(result)
process.disconnect()
