import { encodeShapes, type TrainingJob, trainingJobs } from '../peers/jobs.js'

/** What both builds are timed at: a training of the race, or `encodeSync` of one row a call. */
export type AgainstJob =
  | { readonly name: string; readonly training: TrainingJob }
  | { readonly name: string; readonly inputs: number; readonly hidden: number }

export const againstJobs: readonly AgainstJob[] = [
  ...trainingJobs.map((training) => ({ name: training.name, training })),
  ...encodeShapes.map(({ inputs, hidden }) => ({ name: `encode-${inputs}-${hidden}`, inputs, hidden })),
]
