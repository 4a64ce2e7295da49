import { type Complete, checkInteger, checkNumber, checkOptions } from '../base/check.js'
import { checkPath, filePath } from '../data/read-file.js'

/**
 * A file from which {@link resumeTraining} goes on with a training that was interrupted, with the same bits as though it had not been. It is
 * written while training goes on, whole or not at all: by an abort before the call rejects, at the end of the training (of each layer of a
 * stack), and after so many seconds, steps or epochs, whichever comes first. Training pauses for at most one copy of the optimizer's state.
 * A training that fails leaves the last file that was written.
 */
export interface CheckpointOptions {
  /**
   * The file, in a folder that exists. It must not hold anything but a checkpoint, and not one of another training that is not finished. A
   * training locks it until it ends.
   */
  readonly path: string | URL
  /** Seconds after the last checkpoint, at least 0. Default 60. */
  readonly everySeconds?: number | undefined
  /** Steps after the last checkpoint, at least 1; of L-BFGS iterations. Looked at about ten times a second. Default: not by steps. */
  readonly everySteps?: number | undefined
  /** Epochs (iterations) after the last checkpoint, at least 1. Looked at about ten times a second. Default: not by epochs. */
  readonly everyEpochs?: number | undefined
  /**
   * How many files are kept, at least 1: the newest at `path`, those before it at `path.1`, `path.2`, …, of which the greatest number is the
   * newest. Numbers in use are left out, and only files of this training are removed. Default 1.
   */
  readonly keep?: number | undefined
}

/** Checked options, nothing left open. */
export type CheckpointSettings = { readonly path: string } & Complete<
  Pick<CheckpointOptions, 'everySeconds' | 'keep'>
> &
  Pick<CheckpointOptions, 'everySteps' | 'everyEpochs'>

const NAMES = ['path', 'everySeconds', 'everySteps', 'everyEpochs', 'keep']

/** @throws {@link LayerwiseError} `ERR_ARGUMENT` for unknown options, no path, and numbers out of range */
export function checkCheckpoint(value: unknown): CheckpointSettings {
  const given = checkOptions('checkpoint', value, NAMES)
  const { everySeconds = 60, everySteps, everyEpochs, keep = 1 } = given
  checkPath('checkpoint.path', given.path)
  return {
    path: filePath('write', given.path as string | URL),
    everySeconds: checkNumber('checkpoint.everySeconds', everySeconds, { min: 0 }),
    everySteps: everySteps === undefined ? undefined : checkInteger('checkpoint.everySteps', everySteps),
    everyEpochs: everyEpochs === undefined ? undefined : checkInteger('checkpoint.everyEpochs', everyEpochs),
    keep: checkInteger('checkpoint.keep', keep, 1, 10_000),
  }
}
