/**
 * Trains with checkpoints, from the last one if there is one, until it is done or killed:
 *
 *   node trains.mjs PATH
 */
import { existsSync, writeSync } from 'node:fs'
import { resumeTraining } from '../../../lib/index.js'
import { checkpointOptions, trainedModel, trainingRows } from '../trained.js'

const [path] = process.argv.slice(2) as [string]
const x = trainingRows()
writeSync(1, 'begins\n')
if (existsSync(path)) await resumeTraining(path, x)
else await trainedModel().fit(x, checkpointOptions(path))
writeSync(1, 'is done\n')
