import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { writeShards } from '../../lib/data/dataset/write-dataset.js'
import { type Child, hasSaid, programOf, start } from './child.js'
import { inFolder, temporaries } from './folder.js'
import { eachRound, must, type Proof } from './proof.js'
import { modelOf, partsOf, SHARD, savedNumber, storedNumbers } from './written.js'

/** The latest moment of a kill after a child has begun to write, in milliseconds: some writings long. */
const LATEST = 120

/** Writings before the folder is emptied by another: appended datasets grow. */
const ROUNDS_OF_A_FOLDER = 25

/** Kills a child at a random moment of its work. Returns what it said it had done. */
async function killed(child: Child, delay: number): Promise<number[]> {
  await hasSaid(child, 'begins')
  await setTimeout(delay)
  must(child.process.exitCode === null, `the child ended by itself: ${child.errors().slice(-2000)}`)
  child.process.kill('SIGKILL')
  must((await child.ended) === 'SIGKILL', `the child ended by itself: ${child.errors().slice(-2000)}`)
  return child.said().trim().split('\n').slice(1).map(Number)
}

/** What is there is what was acknowledged, or the next. */
function mustBeOneOf(found: number, done: number): void {
  must(
    found === done || found === done + 1,
    `${found} is there, and ${done} was the last one that was written`,
  )
}

async function prove(kind: 'save' | 'replace' | 'append', rounds: Parameters<Proof['prove']>[0]) {
  const program = programOf('writes')
  let amid = 0
  let writings = 0
  await inFolder(async (root) => {
    let folder = ''
    let bystander: Child | undefined
    let numbers: number[] = []
    await eachRound(rounds, async (round, random) => {
      if ((round - rounds.from) % ROUNDS_OF_A_FOLDER === 0) {
        await endBystander(bystander)
        folder = join(root, String(round))
        mkdirSync(folder)
        numbers = [0]
        if (kind === 'save') {
          await modelOf(0).save(join(folder, 'model'))
          bystander = start(program, ['save', join(folder, 'beside'), '1'])
          await hasSaid(bystander, 'begins')
        } else await writeShards(join(folder, 'data'), partsOf(0), {}, SHARD)
      }
      const path = join(folder, kind === 'save' ? 'model' : 'data')
      const last = numbers.at(-1)!
      const done = await killed(start(program, [kind, path, String(last + 1)]), random.between(0, LATEST))
      writings += done.length
      const acknowledged = done.at(-1) ?? last
      if (kind === 'save') {
        if (temporaries(folder, bystander?.process.pid).length > 0) amid++
        const found = await savedNumber(path)
        mustBeOneOf(found, acknowledged)
        // The next writer sweeps.
        numbers.push(found + 1)
        await modelOf(found + 1).save(path)
        must((await savedNumber(path)) === found + 1, 'what was saved next is not there')
        const left = temporaries(folder, bystander!.process.pid)
        must(left.length === 0, `the next save left ${left.join(', ')}`)
        must(bystander!.process.exitCode === null, `the save beside it failed: ${bystander!.errors()}`)
        return
      }
      const found = await storedNumbers(path)
      mustBeOneOf(found.at(-1)!, acknowledged)
      const expected = kind === 'append' ? [...numbers, ...done] : [acknowledged]
      if (found.length > expected.length) expected.push(expected.at(-1)! + 1)
      if (kind === 'append') must(found.join() === expected.join(), `it holds ${found}, for ${expected}`)
      else must(found.length === 1, `it holds ${found.length} writings`)
      const next = found.at(-1)! + 1
      const shards = (await writeShards(path, partsOf(next), { append: kind === 'append' }, SHARD)).segments
      numbers = await storedNumbers(path)
      const listed = readdirSync(path).length
      if (listed !== shards.length + 1)
        throw new Error(`the next writer left ${readdirSync(path)} of ${shards.length} shards`)
      if (done.length === 0 || found.at(-1) === acknowledged) amid++
    })
    await endBystander(bystander)
  })
  return kind === 'save'
    ? `${amid} of them left a temporary file, which the next save removed; ${writings} saves were acknowledged`
    : `${amid} of them ended a writing that did not count; ${writings} were acknowledged, none was lost`
}

async function endBystander(child: Child | undefined): Promise<void> {
  if (child === undefined) return
  must(child.process.exitCode === null, `the save beside it failed: ${child.errors()}`)
  child.process.kill('SIGKILL')
  await child.ended
}

const whole =
  'the old or the new one is whole; what was acknowledged is there; the next writer leaves no litter'

export const killsAmidSave: Proof = {
  name: 'kill amid save',
  promise: `${whole}, and removes no temporary file of a process that lives`,
  rounds: 'kills',
  count: 1000,
  quick: 10,
  prove: (rounds) => prove('save', rounds),
}

export const killsAmidWriteDataset: Proof = {
  name: 'kill amid writeDataset',
  promise: `${whole}; the lock is free`,
  rounds: 'kills',
  count: 1000,
  quick: 6,
  prove: (rounds) => prove('replace', rounds),
}

export const killsAmidAppend: Proof = {
  name: 'kill amid append',
  promise: `${whole}; the lock is free`,
  rounds: 'kills',
  count: 1000,
  quick: 6,
  prove: (rounds) => prove('append', rounds),
}
