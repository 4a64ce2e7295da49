import { eventLoop } from './event-loop.js'
import { failingCalls } from './faults.js'
import { fuzzes } from './fuzz.js'
import { guided } from './guided.js'
import { killsAmidAppend, killsAmidSave, killsAmidWriteDataset } from './kills.js'
import { killsOfTrainings } from './kills-of-trainings.js'
import { largeData } from './large-data.js'
import { largeState } from './large-state.js'
import { limits } from './limits.js'
import { memoryOverEncodes, memoryOverFits } from './memory.js'
import { native } from './native.js'
import type { Proof } from './proof.js'
import { together } from './together.js'
import { workers } from './workers.js'

/** All proofs, in the order in which they run. */
export const PROOFS: readonly Proof[] = [
  ...[killsAmidSave, killsOfTrainings, killsAmidWriteDataset, killsAmidAppend],
  failingCalls,
  ...limits,
  ...fuzzes,
  ...guided,
  ...[workers, together],
  ...[memoryOverFits, memoryOverEncodes, ...largeData, largeState, eventLoop],
  ...native,
]
