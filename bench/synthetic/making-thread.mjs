/** A thread of `in-order.ts`: a maker, asked for slices by their first number and the one after their last. */
import { parentPort, workerData } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

// A thread does not inherit the loader of TypeScript.
register()
const asked = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
const { module, options } = workerData
const { maker } = await import(module)
const rows = maker(options)

asked.on('message', (/** @type {[number, number]} */ [from, to]) => {
  const made = rows.make(from, to)
  asked.postMessage(made, [made.buffer])
})
