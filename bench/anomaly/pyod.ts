import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { averagePrecision, rocAuc } from '../../lib/index.js'
import { meanOf, type Outcome } from './contestants.js'
import { type Figures, keyOf, type Protocol, protocols, type Table } from './tables.js'

const script = fileURLToPath(new URL('pyod_peer.py', import.meta.url))
const ofPeers = fileURLToPath(new URL('../../build-peers/venv/bin/python', import.meta.url))

/** PyOD's AutoEncoder with its defaults, on one thread, on the same rows behind a StandardScaler. */
export async function runPyod(folder: string, tables: readonly Table[], seeds: number): Promise<Outcome> {
  const out = mkdtempSync(join(tmpdir(), 'layerwise-pyod-'))
  try {
    const python = process.env.LAYERWISE_PYTHON ?? (existsSync(ofPeers) ? ofPeers : 'python3')
    console.error(`bench: PyOD, by ${python}`)
    const { status } = spawnSync(python, [script, folder, out, `${seeds}`], { stdio: ['ignore', 2, 2] })
    if (status !== 0) throw new Error(`--peers: ${python} could not run PyOD (pip install pyod torch)`)
    return outcomeOf(out, tables, seeds)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

interface Answer {
  readonly fit: number
  readonly score: number
  readonly scores: readonly number[]
}

function outcomeOf(out: string, tables: readonly Table[], seeds: number): Outcome {
  const figures = new Map<string, Figures>()
  const fitSeconds = { oneclass: 0, unsupervised: 0 }
  const scoreSeconds = { oneclass: 0, unsupervised: 0 }
  for (const table of tables) {
    for (const protocol of protocols) {
      const found = Array.from({ length: Math.min(seeds, table.seeds) }, (_, seed) => {
        const file = join(out, `${protocol}-${table.name}-${seed}.json`)
        const { fit, score, scores } = JSON.parse(readFileSync(file, 'utf8')) as Answer
        fitSeconds[protocol] += fit
        scoreSeconds[protocol] += score
        const { labels } = table.task(protocol as Protocol, seed)
        return { auroc: rocAuc(scores, labels), precision: averagePrecision(scores, labels) }
      })
      figures.set(keyOf(protocol, table.name), meanOf(found))
    }
  }
  return { name: 'PyOD AutoEncoder, run here', figures, fitSeconds, scoreSeconds }
}
