// The process of examples/service.ts: `process.ts FOLDER`, with orders.db in the folder. It prints its address.
//
// SIGTERM and SIGINT end it: no new requests are accepted, the last ones answered, learning is stopped, and the exit status is 0.
import { join } from 'node:path'
import { createApp } from './app.js'
import { Learner } from './learner.js'
import { openDatabase } from './orders.js'

const [folder = '.'] = process.argv.slice(2)
const database = openDatabase(join(folder, 'orders.db'))
const learner = await Learner.open(join(folder, 'detector.safetensors'), database)
const app = createApp(learner)

let isEnding = false
async function end(): Promise<void> {
  if (isEnding) return
  isEnding = true
  await Promise.all([app.close(), learner.close()])
  database.close()
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end())

console.log(await app.listen({ host: '127.0.0.1', port: 0 }))
