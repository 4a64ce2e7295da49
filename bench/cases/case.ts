/** One case in its own process, started by `run.ts`, which receives the measurements as a message. */

import type { Storage } from '../measuring/data.js'
import { measureServer, type ServerResult } from '../server/server.js'
import { type Effort, encodeCase, pcaCase, serverCase, trainingCases } from './cases.js'
import { type EncodeResult, measureEncoding } from './encode.js'
import { measurePca, type PcaResult } from './pca.js'
import { measureTraining, type TrainingResult } from './training.js'

export interface CaseRequest extends Effort {
  readonly name: string
  readonly storage: Storage
}

export type CaseResult = TrainingResult | EncodeResult | PcaResult | ServerResult

const request = JSON.parse(process.argv[2]!) as CaseRequest
const measures: Record<string, () => Promise<CaseResult>> = {
  [encodeCase.name]: () => measureEncoding(request.storage, request),
  [pcaCase.name]: () => measurePca(request.storage, request),
  [serverCase.name]: () => measureServer(request),
}
for (const training of trainingCases) {
  measures[training.name] = () => measureTraining(training, request.storage, request)
}
const result = await measures[request.name]!()
process.send!(result)
process.disconnect()
