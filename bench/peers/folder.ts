import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Training } from '../measuring/limits.js'
import type { JobRows } from './model.js'

/** Where the peers are installed. */
export const installed = fileURLToPath(new URL('../../build-peers', import.meta.url))
const scripts = fileURLToPath(new URL('.', import.meta.url))

/** The Python of the peers, with one of our scripts. */
export function python(script: string, folder: JobFolder): string[] {
  return [join(installed, 'venv', 'bin', 'python'), join(scripts, script), folder.path]
}

/** Node, with the one script for it. */
export function onnxruntime(folder: JobFolder): string[] {
  return [process.execPath, join(scripts, 'onnxruntime-peer.mjs'), join(installed, 'node'), folder.path]
}

/** The folder that passes a job to its peers, as read by `protocol.py`. */
export class JobFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'layerwise-peers-'))

  /** @param theta - what all begin with */
  constructor(training: Training, { matrix, labels }: JobRows, theta: Float32Array) {
    const { data } = matrix
    if (!(data instanceof Float32Array)) throw new TypeError('peers are given float32 rows')
    writeFileSync(join(this.path, 'job.json'), JSON.stringify(training))
    writeFileSync(join(this.path, 'rows.f32'), data)
    writeFileSync(join(this.path, 'theta.f32'), theta)
    if (labels) writeFileSync(join(this.path, 'labels.u32'), Uint32Array.from(labels))
  }

  /** What a peer left there. */
  read(name: string): Float32Array {
    const bytes = readFileSync(join(this.path, name))
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
