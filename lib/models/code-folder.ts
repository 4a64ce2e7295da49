import { mkdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { argumentError, checkBoolean } from '../base/check.js'
import type { Precision } from '../base/precision.js'
import { datasetRows } from '../data/dataset.js'
import { fileError } from '../data/read-file.js'
import type { NativeRows } from '../native/binding.js'
import type { RunOptions } from '../native/run-options.js'
import type { NamedRows } from '../training/named-rows.js'
import { checkTo, writeParts } from './answers.js'
import type { ForwardTask } from './forward.js'
import { partsOfRows } from './forward-parts.js'

/** Where the codes of a layer are while the layer above it is trained. */
export interface CodeOptions {
  /**
   * Whether the codes of the layer below are computed again for each batch instead of being kept for all rows: less memory, more
   * work. The results agree to rounding, not to the bit, since products of a batch are cut in other places than those of all rows.
   * Default: true for a Dataset without `codes`, so that no disk is filled; false for all other rows.
   */
  readonly recompute?: boolean | undefined
  /**
   * A folder for the codes of one layer at a time, in the model's precision: a path (string or file: URL), created if its parent exists. They
   * are removed when the layer above is trained, or fails to be. The bits are those of codes in memory, where both are shuffled by blocks.
   * Default: codes are in memory, or computed again.
   */
  readonly codes?: string | URL | undefined
}

/** The same, checked. */
export interface CodeSettings {
  readonly recompute: boolean | undefined
  /** An absolute path. */
  readonly codes: string | undefined
}

/**
 * Checks options of codes.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for both of them
 */
export function checkCodeOptions(given: Readonly<Record<string, unknown>>): CodeSettings {
  const recompute = given.recompute === undefined ? undefined : checkBoolean('recompute', given.recompute)
  const folder = given.codes === undefined ? undefined : checkTo(given.codes, 'codes')
  if (folder !== undefined && recompute)
    throw argumentError('recompute', "false beside 'codes', which says where codes are kept", recompute)
  return { recompute, codes: folder }
}

/** Codes of one layer at a time, in files. */
export class CodeFolder {
  readonly #path: string
  readonly #written: string[] = []
  #isNew = false

  constructor(path: string) {
    this.#path = path
  }

  /**
   * Writes the codes of rows.
   *
   * @returns what reads them, without labels and weights
   * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a folder that cannot be written to, `ERR_FILE` if the disk is full
   */
  async write(
    { argument, rows }: NamedRows,
    task: ForwardTask<Precision>,
    run: RunOptions,
  ): Promise<NativeRows> {
    await this.#create()
    const folder = join(this.#path, `layerwise-codes-of-${argument === 'x' ? 'training' : 'validation'}`)
    this.#written.push(folder)
    const { precision, outputs } = task
    const parts = partsOfRows(task, rows, run, 'outputs')
    const dataset = await writeParts(folder, undefined, parts, precision, outputs, run, 'codes')
    return datasetRows(argument, dataset, { width: outputs, scaling: undefined })
  }

  /** Removes what was written. */
  async clear(): Promise<void> {
    for (const folder of this.#written.splice(0)) await rm(folder, { recursive: true, force: true })
    // Left where others put something there.
    if (this.#isNew) await rmdir(this.#path).catch(() => {})
  }

  async #create(): Promise<void> {
    try {
      await mkdir(this.#path)
      this.#isNew = true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
      throw fileError('write', this.#path, error)
    }
  }
}
