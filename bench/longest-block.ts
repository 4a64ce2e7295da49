/**
 * The longest turn of the event loop during a call, which delays a server's other requests.
 *
 *   npx tsx bench/longest-block.ts [--rows 1000000] [--where] [NAME …]
 *
 * For each call whose name contains one of the words, or for all; with `--where` also which functions took the time of that turn. Goal for
 * calls that return a promise: at most 5 ms.
 */
import { parseArgs } from 'node:util'
import { COLS, longestTurnOf, PROMISED_CALLS } from './measuring/promised-calls.js'

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rows: { type: 'string', default: '1000000' },
      where: { type: 'boolean', default: false },
    },
  })
  const rows = Number(values.rows)
  const wanted = Object.keys(PROMISED_CALLS).filter(
    (name) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  )
  console.log(`the longest turn of the event loop, ${rows} rows of ${COLS} numbers`)
  for (const name of wanted) {
    const { longest, own, whole, where } = await longestTurnOf(name, rows, values.where)
    const [all, ours] = [longest, own].map((ms) => ms.toFixed(1).padStart(7))
    console.log(
      `${name.padEnd(36)} ${all} ms  ${ours} without collections of garbage  of ${whole.toFixed(0)} ms`,
    )
    for (const line of where.slice(0, 8)) console.log(`  ${line}`)
  }
}

await main()
