// The process of examples/service.ts: `process.ts FOLDER`, with orders.db in the folder. It prints its address. One process at a time uses a folder.
//
// SIGTERM and SIGINT end it: no new requests are accepted, the last ones answered, learning is stopped, and the exit status is 0.
import { once } from 'node:events'
import { join } from 'node:path'
import { createApp } from './app.js'
import { Learner } from './learner.js'
import { openDatabase } from './orders.js'

/** How long clients may take to send the rest of their last requests. */
const LAST_REQUESTS_MS = 5000

const [folder = '.'] = process.argv.slice(2)
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())

const database = openDatabase(join(folder, 'orders.db'))
try {
  const learner = await Learner.open(join(folder, 'detector.safetensors'), database, stop.signal)
  const app = createApp(learner)
  console.log(await app.listen({ host: '127.0.0.1', port: 0 }))
  if (!stop.signal.aborted) await once(stop.signal, 'abort')
  setTimeout(() => app.server.closeAllConnections(), LAST_REQUESTS_MS).unref()
  await Promise.all([app.close(), learner.ended()])
} catch (error) {
  // It may have been told to end while it learned for the first time.
  if (error !== stop.signal.reason) throw error
} finally {
  database.close()
}
