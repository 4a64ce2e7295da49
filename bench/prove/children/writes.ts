/**
 * Writes one thing again and again until it is killed, and says the number of each that is done:
 *
 *   node writes.mjs save|replace|append PATH FIRST
 */
import { writeSync } from 'node:fs'
import { writeShards } from '../../../lib/data/dataset/write-dataset.js'
import { LAYERS, modelOf, partsOf, SHARD } from '../written.js'

const [kind, path, first] = process.argv.slice(2) as [string, string, string]
let number = Number(first)

/** At once, whatever happens next: a stream would keep it until the next turn. */
const say = (text: string | number) => writeSync(1, `${text}\n`)

const model = modelOf(number)
say('begins')
for (; ; number++) {
  if (kind === 'save') {
    model.setParameters(new Float32Array(LAYERS).fill(number))
    await model.save(path)
  } else await writeShards(path, partsOf(number), { append: kind === 'append' }, SHARD)
  say(number)
}
