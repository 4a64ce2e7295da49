import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeShards } from '../../lib/data/dataset/write-dataset.js'
import { Matrix, openDataset, readNpy, resumeTraining, SparseAutoencoder, writeNpy } from '../../lib/index.js'
import { must } from './proof.js'

/** Something that is done in a folder, and what must be there: what was before it, or what it makes. */
export interface Operation {
  run(): Promise<unknown>
  mustBe(which: 'old' | 'new'): Promise<void>
}

const COLS = 8
const ROWS = 64
const matrixOf = (value: number) => Matrix.from(new Float32Array(ROWS * COLS).fill(value), ROWS, COLS)
const modelOf = (value: number) => {
  const model = new SparseAutoencoder({ inputs: COLS, hidden: 4 })
  model.setParameters(model.parameters().fill(value))
  return model
}
const SHARD = 1024

function mustHold(values: ArrayLike<number>, expected: readonly number[], which: string): void {
  const found = [...new Set(Array.from(values))]
  must(found.join() === expected.join(), `expected the ${which} file, with ${expected}; it has ${found}`)
}

async function shards(folder: string, append: boolean): Promise<Operation> {
  const path = join(folder, 'data')
  await writeShards(path, [matrixOf(1)], {}, SHARD)
  let runs = 0
  return {
    run: async () => {
      try {
        await writeShards(path, [matrixOf(2)], { append }, SHARD)
        runs++
      } catch (error) {
        if ((error as Error).message.includes('all rows were written')) runs++
        throw error
      }
    },
    mustBe: async (which) => {
      const dataset = await openDataset(path)
      await dataset.verify()
      must(which === 'old' || dataset.rows === ROWS * (append ? 1 + runs : 1), `it has ${dataset.rows} rows`)
      mustHold((await dataset.read(0)).data, which === 'old' ? [1] : append ? [1, 2] : [2], which)
    },
  }
}

/** What writes, each prepared in a folder. */
export const OPERATIONS: Readonly<Record<string, (folder: string) => Promise<Operation>>> = {
  save: async (folder) => {
    const path = join(folder, 'model')
    await modelOf(1).save(path)
    return {
      run: () => modelOf(2).save(path),
      mustBe: async (which) => {
        const { data } = { data: (await SparseAutoencoder.load(path)).parameters() }
        mustHold(data, [which === 'old' ? 1 : 2], which)
      },
    }
  },
  writeNpy: async (folder) => {
    const path = join(folder, 'rows.npy')
    await writeNpy(path, matrixOf(1))
    return {
      run: () => writeNpy(path, matrixOf(2)),
      mustBe: async (which) => mustHold((await readNpy(path)).data, [which === 'old' ? 1 : 2], which),
    }
  },
  writeDataset: (folder) => shards(folder, false),
  'writeDataset that appends': (folder) => shards(folder, true),
  'fit with checkpoints': async (folder) => {
    const path = join(folder, 'run')
    const x = matrixOf(0.5)
    await modelOf(0).fit(x, { epochs: 1, checkpoint: { path } })
    const old = readFileSync(path)
    return {
      run: () => modelOf(0).fit(x, { epochs: 2, checkpoint: { path } }),
      mustBe: async (which) => {
        if (which === 'old') must(readFileSync(path).equals(old), 'the older checkpoint has changed')
        const { history } = await resumeTraining(path, x)
        must(history.epochs.length === (which === 'old' ? 1 : 2), `it has ${history.epochs.length} epochs`)
      },
    }
  },
}
