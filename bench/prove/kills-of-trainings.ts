import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { resumeTraining } from '../../lib/index.js'
import { hasSaid, programOf, start } from './child.js'
import { inFolder, temporaries } from './folder.js'
import { eachRound, must, type Proof } from './proof.js'
import { checkpointOptions, TRAINING, trainedModel, trainingRows } from './trained.js'

/** The latest moment of a kill after a training has begun, in milliseconds. */
const LATEST = 700

/** Kills of one training, before it is let go to its end. */
const KILLS = 10

/** How many epochs a checkpoint has. It must be whole and free; nothing is trained or written. */
async function epochsIn(path: string): Promise<number> {
  const controller = new AbortController()
  const reason = new Error('read')
  let steps = -1
  const onModel = () => controller.abort(reason)
  const onProgress = () => {
    steps++
  }
  const options = { signal: controller.signal, onModel, onProgress }
  const error = await resumeTraining(path, trainingRows(), options).then(
    ({ history }) => history.epochs.length,
    (thrown: unknown) => thrown,
  )
  if (typeof error === 'number') return error
  if (error !== reason) throw error
  must(steps === -1, 'a training that was aborted before it began has trained')
  return 0
}

/** Waits for a temporary file, at most for a second. */
async function beginsToWrite(folder: string): Promise<void> {
  for (let k = 0; k < 1000 && temporaries(folder).length === 0; k++) await setTimeout(1)
}

export const killsOfTrainings: Proof = {
  name: 'kill amid checkpoints',
  promise: `the checkpoint is whole and its lock free; after ${KILLS} kills the training ends with the bits of one that was never interrupted, and without litter`,
  rounds: 'kills',
  count: 1000,
  quick: 6,
  async prove(rounds) {
    const program = programOf('trains')
    const x = trainingRows()
    const whole = trainedModel()
    const { epochs } = await whole.fit(x, TRAINING)
    let amid = 0
    let trainings = 0

    /** Goes on to the end, which must be that of an uninterrupted training. */
    const finish = async (path: string) => {
      const { model, history } = existsSync(path)
        ? await resumeTraining(path, x)
        : await trainedModel()
            .fit(x, checkpointOptions(path))
            .then(() => resumeTraining(path, x))
      must(history.epochs.length === epochs.length, `its history has ${history.epochs.length} epochs`)
      must(
        history.epochs.every(({ cost }, i) => cost.total === epochs[i]!.cost.total),
        'its history is not that of an uninterrupted training',
      )
      const [is, should] = [model.parameters(), whole.parameters()]
      must(
        is.every((value, i) => value === should[i]),
        'its parameters are not those of an uninterrupted one',
      )
      const left = readdirSync(join(path, '..')).filter((name) => name !== 'run')
      must(left.length === 0, `it left ${left.join(', ')}`)
      trainings++
    }

    await inFolder(async (root) => {
      let path = ''
      await eachRound(rounds, async (round, random) => {
        const number = (round - rounds.from) % KILLS
        if (number === 0) {
          const folder = join(root, String(round))
          mkdirSync(folder)
          path = join(folder, 'run')
        }
        const child = start(program, [path])
        await hasSaid(child, 'begins')
        const moment = setTimeout(random.between(0, LATEST)).then(() =>
          // Half of them as soon as a file is being written, which takes a small part of the time.
          random.next() < 0.5 ? beginsToWrite(join(path, '..')) : undefined,
        )
        await Promise.race([moment, child.ended])
        child.process.kill('SIGKILL')
        const how = await child.ended
        must(how === 'SIGKILL' || child.said().includes('is done'), `it ended by ${how}: ${child.errors()}`)
        if (temporaries(join(path, '..')).length > 0) amid++
        if (existsSync(path)) await epochsIn(path)
        if (number === KILLS - 1 || round === rounds.from + rounds.count - 1) await finish(path)
      })
    })
    return `${amid} of them amid a checkpoint; ${trainings} trainings went on to the same bits`
  },
}
