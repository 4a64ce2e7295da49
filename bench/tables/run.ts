/** How fast tables are read and encoded: `npm run bench -- tables`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readTable, TableEncoder } from '../../lib/index.js'
import { type Environment, environment } from '../measuring/environment.js'
import { quantile } from '../measuring/statistics.js'
import { type Source, sourcesIn } from './sources.js'

export const tablesName = 'tables'
export const tablesUsage = `npm run bench -- ${tablesName} [--json] [--rows N]
  --rows     of CSV, JSON lines, objects and Arrow, of 30 columns, default 200000; of Parquet and queries, of 10 columns, ten times as many`

/** One way to read or encode, in the median of the rounds. */
export interface TableFigure {
  readonly name: string
  readonly rows: number
  readonly columns: number
  /** By the clock, and of all threads of this process. */
  readonly seconds: number
  readonly processorSeconds: number
}

const ROUNDS = 5

export async function benchTables(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false }, rows: { type: 'string', default: '200000' } },
  })
  const rows = Number(values.rows)
  if (!Number.isInteger(rows) || rows < 100)
    throw new Error('--rows: expected a whole number of at least 100')
  const where = environment()
  const figures = await measureTables(rows)
  console.log(
    values.json ? JSON.stringify({ environment: where, tables: figures }, null, 2) : textOf(where, figures),
  )
}

/** Figures of all sources, and of an encoder on the CSV file; each verified. */
export async function measureTables(rows: number, rounds = ROUNDS): Promise<readonly TableFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'))
  try {
    console.error('bench: writing the tables')
    const sources = await sourcesIn(folder, rows)
    const figures: TableFigure[] = []
    for (const source of sources) {
      console.error(`bench: ${source.name}`)
      figures.push(await timed(source, rounds, () => countRows(source)))
    }
    const csv = sources[0]!
    for (const numbers of ['standard', 'robust'] as const) {
      console.error(`bench: an encoder, ${numbers}`)
      const encoder = new TableEncoder({ numbers })
      const fit = async () => (await encoder.fit(readTable(csv.make()))).rows
      figures.push(await timed({ ...csv, name: `CSV, and fit: ${numbers}` }, rounds, fit))
      if (numbers === 'standard') {
        const transform = async () =>
          (await encoder.transform(readTable(csv.make(), { types: encoder.types }))).rows
        figures.push(await timed({ ...csv, name: 'CSV, and transform' }, rounds, transform))
      }
    }
    return figures
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function countRows({ make, columns }: Source): Promise<number> {
  let rows = 0
  for await (const batch of readTable(make())) {
    if (batch.columns.length !== columns)
      throw new Error(`${batch.columns.length} columns instead of ${columns}`)
    rows += batch.rows
  }
  return rows
}

async function timed(
  { name, rows, columns }: Source,
  rounds: number,
  work: () => Promise<number>,
): Promise<TableFigure> {
  const [seconds, processor]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const [start, used] = [performance.now(), process.cpuUsage()]
    const read = await work()
    const { user, system } = process.cpuUsage(used)
    seconds.push((performance.now() - start) / 1000)
    processor.push((user + system) / 1e6)
    if (read !== rows) throw new Error(`${name}: ${read} rows instead of ${rows}`)
  }
  return { name, rows, columns, seconds: quantile(seconds, 0.5), processorSeconds: quantile(processor, 0.5) }
}

function textOf(
  { commit, date, cpu, processors, load, node }: Environment,
  figures: readonly TableFigure[],
): string {
  const lines = figures.map(({ name, rows, columns, seconds, processorSeconds }) => {
    const rate = `${(rows / seconds / 1e6).toFixed(2)} million rows/s`
    const values = `${((rows * columns) / seconds / 1e6).toFixed(1)} million values/s`
    const times = `${seconds.toFixed(2)} s, ${processorSeconds.toFixed(2)} s of processors`
    return `${name.padEnd(24)} ${`${rows} × ${columns}`.padEnd(13)} ${times.padEnd(30)} ${rate.padEnd(22)} ${values}`
  })
  const head = `commit ${commit}, ${date}\n${cpu}, ${processors} processors, load ${load}, Node ${node}`
  return [head, '', ...lines].join('\n')
}
