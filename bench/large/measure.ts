import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Dataset } from '../../lib/index.js'
import { ratios, summary } from '../measuring/statistics.js'
import type { Figure, JobResult } from '../peers/figures.js'
import { installed } from '../peers/folder.js'
import { Peer } from '../peers/peer.js'
import { bestVariant, ROUNDS, rounds } from '../peers/rounds.js'
import { bytesOf, gigabytes } from '../synthetic/made-once.js'
import { forget, type Pattern, plainReads, shards } from './disk.js'
import { JobFolder } from './job.js'
import { fasterThan, proveSame, proveSteps } from './prove.js'
import type { LargeTable, Shape } from './tables.js'

/** How a measurement is made. */
export interface Effort {
  /** Of a window. */
  readonly seconds: number
  readonly threads: number
  readonly cold: boolean
  readonly peers: boolean
  /** Two rounds, on a machine that others use too: shows that it runs. */
  readonly quick: boolean
}

/** The share of the memory that is free now which rows may take: they are in a process's memory and in the system's cache. */
const SHARE = 0.35
/** The most numbers that an array of Node 20 holds. */
const LONGEST = 2 ** 32 - 1
/** Windows that a cold training takes. */
const COLD = 6
/** A cold window ends within the first epoch: rows are cold only once. */
const WITHIN = 0.8

const GOALS = { warm: 0.95, cold: 0.9, MiB: 1024, torch: 3 }

interface Window {
  readonly samplesPerSecond: number
  /** Processors that the reader used. */
  readonly reader: number
}

/** One shape trained on one table: verified, then from memory and from disk in turns. */
export async function measureShape(
  table: LargeTable,
  shape: Shape,
  { dataset, path }: { readonly dataset: Dataset; readonly path: string },
  effort: Effort,
): Promise<JobResult> {
  const rowBytes = bytesOf(table, 1)
  const fitting = Math.floor(Math.min((SHARE * process.availableMemory()) / rowBytes, LONGEST / table.cols))
  const rows = Math.min(dataset.rows, fitting)
  const folder = new JobFolder(dataset, path, table, rows, shape)
  const own: Peer[] = []
  try {
    const memory = await ownSide(folder, 'memory', effort)
    own.push(memory)
    const disk = await ownSide(folder, 'disk', effort)
    own.push(disk)
    await disk.ask('start', { name: 'start' })
    const proof = [await proveSame(folder, memory, disk, rows)]
    const torch = effort.peers ? await torchSide(folder, effort) : undefined
    if (torch) own.push(torch.peer)
    if (torch) proof.push(await proveSteps(folder, disk, torch.peer, rows, shape))

    const files = await shards(path)
    const bytes = rows * rowBytes
    const warmReads = await readsOf(files, bytes, rowBytes)
    const others = effort.quick ? () => undefined : undefined
    const trial = (variant: string) => rateOf(torch!.peer, variant, effort.seconds)
    const best = torch && (await bestVariant(torch.variants, trial, 'greater', others))
    const readers: number[] = []
    const { seconds } = effort
    const { values, repeated } = await rounds(
      {
        memory: async () => (await memory.ask<Window>('train', { seconds })).samplesPerSecond,
        disk: async () => {
          const { samplesPerSecond, reader } = await disk.ask<Window>('train', { seconds })
          readers.push(reader)
          return samplesPerSecond
        },
        ...(best && { torch: () => trial(best.best) }),
      },
      effort.quick ? 2 : ROUNDS,
      others,
    )
    const rate = summary(values.memory).median
    // It maps the files: their pages could not be forgotten.
    torch?.peer.close()
    const cold = effort.cold ? await measureCold(disk, files, dataset, rowBytes, rate, effort) : undefined
    const most = await disk.ask<{ before: number; most: number }>('memory')
    const name = `${table.name} ${table.cols}-${shape.hidden}`
    return {
      job: name,
      title:
        `${name}-${table.cols}, batch ${shape.batchSize}, ${dataset.rows.toLocaleString('en')} rows of ${table.type} ` +
        `(${gigabytes(dataset.rows * rowBytes)}), in turns on the first ${rows.toLocaleString('en')}`,
      proof: [...proof, ...(cold?.remarks ?? [])],
      peers: best ? { torch: { ...torch!.versions, variant: best.best, tried: best.tried } } : {},
      rounds: values.memory.length,
      repeated,
      windowSeconds: effort.seconds,
      figures: [
        figure('in memory', 'samples/s', values.memory),
        figure('from disk, warm', 'samples/s', values.disk),
        figure('from disk, warm, over in memory', 'ratio', ratios(values.disk, values.memory), {
          atLeast: GOALS.warm,
        }),
        figure('plain reads, warm', 'samples/s', [warmReads]),
        figure('plain reads, warm', 'GB/s', [(warmReads * rowBytes) / 1e9]),
        figure('processors that the reader used', 'ratio', readers),
        ...(cold?.figures ?? []),
        figure('resident before training', 'MiB', [most.before]),
        figure('resident at most, training from disk', 'MiB', [most.most], { atMost: GOALS.MiB }),
        ...(best
          ? fasterThan(
              'torch',
              values.disk,
              values.torch!,
              name === 'digits 784-196' ? GOALS.torch : undefined,
            )
          : []),
      ],
    }
  } finally {
    for (const peer of own) peer.close()
    folder.remove()
  }
}

async function ownSide(folder: JobFolder, place: 'memory' | 'disk', { threads }: Effort): Promise<Peer> {
  const tsx = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url))
  const script = fileURLToPath(new URL('./side.ts', import.meta.url))
  return (await Peer.start([process.execPath, tsx, script, folder.path, place], threads)).peer
}

async function torchSide(folder: JobFolder, { threads }: Effort) {
  const python = join(installed, 'venv', 'bin', 'python')
  if (!existsSync(python)) throw new Error('the peers are not installed: npm run bench:peers -- --setup')
  const script = fileURLToPath(new URL('./torch_loader.py', import.meta.url))
  const { peer, versions } = await Peer.start([python, script, folder.path], threads)
  const { variants, ...others } = versions
  return { peer, versions: others, variants: variants as string[] }
}

async function rateOf(torch: Peer, variant: string, seconds: number): Promise<number> {
  return (await torch.ask<{ samplesPerSecond: number }>('train', { variant, seconds })).samplesPerSecond
}

/** Rows a second of plain reads when the system holds the files in memory. */
async function readsOf(files: readonly string[], bytes: number, rowBytes: number): Promise<number> {
  await plainReads(files, bytes, 'inOrder', Number.POSITIVE_INFINITY)
  return (await plainReads(files, bytes, 'inOrder', Number.POSITIVE_INFINITY)) / rowBytes
}

/** All rows, none of which the system holds in memory when it begins, between measurements of the disk's own speed. */
async function measureCold(
  disk: Peer,
  files: readonly string[],
  { rows }: Dataset,
  rowBytes: number,
  rate: number,
  { seconds }: Effort,
): Promise<{ figures: Figure[]; remarks: string[] }> {
  const remarks = new Set<string>()
  const forgetAll = async () => {
    const remark = await forget(files)
    if (remark !== undefined) remarks.add(`cold: ${remark}`)
  }
  const readsCold = async (pattern: Pattern) => {
    await forgetAll()
    return plainReads(files, rows * rowBytes, pattern, seconds)
  }
  const before = [await readsCold('inOrder'), await readsCold('blocks')] as const
  await forgetAll()
  const most = (WITHIN * rows) / Math.min(rate, before[0] / rowBytes)
  const cold = await disk.ask<Window>('trainWhole', { seconds: Math.min(COLD * seconds, most) })
  const after = [await readsCold('inOrder'), await readsCold('blocks')] as const
  const inOrder = [before[0], after[0]]
  const ceiling = summary(inOrder).median / rowBytes
  return {
    figures: [
      figure('plain reads, cold', 'GB/s', inOrder.map(giga)),
      figure('plain reads of blocks, cold', 'GB/s', [before[1], after[1]].map(giga)),
      figure('plain reads, cold', 'samples/s', [ceiling]),
      figure('from disk, cold', 'samples/s', [cold.samplesPerSecond]),
      figure(
        'from disk, cold, over the lesser limit',
        'ratio',
        [cold.samplesPerSecond / Math.min(rate, ceiling)],
        {
          atLeast: GOALS.cold,
        },
      ),
      figure('processors that the reader used, cold', 'ratio', [cold.reader]),
    ],
    remarks: [...remarks],
  }
}

function giga(bytes: number): number {
  return bytes / 1e9
}

function figure(
  label: string,
  unit: Figure['unit'],
  values: readonly number[],
  goal?: Figure['goal'],
): Figure {
  return { label, unit, values: summary(values), ...(goal && { goal }) }
}
