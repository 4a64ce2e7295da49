import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Matrix, readNpy } from '../../lib/index.js'

export const protocols = ['oneclass', 'unsupervised'] as const

/** `oneclass`: learn from half of the normal rows, score all others. `unsupervised`: learn from all rows, score the same. */
export type Protocol = (typeof protocols)[number]

/** Which rows are learned from and which scored. */
export interface Task {
  readonly training: Matrix
  readonly scored: Matrix
  /** 1 where a scored row is an anomaly. */
  readonly labels: readonly number[]
}

/** A table of the folder. */
export interface Table {
  readonly name: string
  readonly seeds: number
  task(protocol: Protocol, seed: number): Task
}

/** Area under the ROC curve and average precision. */
export interface Figures {
  readonly auroc: number
  readonly precision: number
}

/** Figures by detector, then by protocol and table. */
export type Reference = ReadonlyMap<string, ReadonlyMap<string, Figures>>

/** The tables of a folder: `NAME_x.npy`, `NAME_y.npy` and `NAME_split.npy` each, the last [rows, seeds]. */
export async function readTables(folder: string): Promise<Table[]> {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('_x.npy'))
    .map((file) => file.slice(0, -'_x.npy'.length))
    .sort()
  if (names.length === 0) throw new Error(`${folder}: no NAME_x.npy`)
  return Promise.all(names.map((name) => readTable(folder, name)))
}

async function readTable(folder: string, name: string): Promise<Table> {
  const read = (part: string) => readNpy(join(folder, `${name}_${part}.npy`))
  const [x, y, split] = await Promise.all([read('x'), read('y'), read('split')])
  const labels = Array.from(y.data, Number)
  const all = { training: x, scored: x, labels }
  const task = (protocol: Protocol, seed: number): Task => {
    if (protocol === 'unsupervised') return all
    const [training, scored]: [number[], number[]] = [[], []]
    for (let row = 0; row < x.rows; row++) {
      ;(split.data[row * split.cols + seed] === 1 ? training : scored).push(row)
    }
    return {
      training: x.select(training),
      scored: x.select(scored),
      labels: scored.map((row) => labels[row]!),
    }
  }
  return { name, seeds: split.cols, task }
}

/** What a figure belongs to. */
export const keyOf = (protocol: Protocol, table: string): string => `${protocol} ${table}`

/** The figures of `reference.csv`; empty fields are left out. */
export function readReference(folder: string): Reference {
  const [header, ...lines] = readFileSync(join(folder, 'reference.csv'), 'utf8').trim().split('\n')
  const columns = header!.split(',')
  const reference = new Map<string, Map<string, Figures>>()
  for (const line of lines) {
    const fields = line.split(',')
    const key = keyOf(fields[0] as Protocol, fields[1]!)
    for (const [k, column] of columns.entries()) {
      if (!column.endsWith('_auroc') || fields[k] === '' || fields[k + 1] === '') continue
      const detector = column.slice(0, -'_auroc'.length)
      const figures = reference.get(detector) ?? new Map<string, Figures>()
      figures.set(key, { auroc: Number(fields[k]), precision: Number(fields[k + 1]) })
      reference.set(detector, figures)
    }
  }
  return reference
}
