import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../bench/prove/checkpoint-seal.js'
import { Corpus } from '../bench/prove/corpus.js'
import { counted } from '../bench/prove/counted.js'
import { TARGETS } from '../bench/prove/guided-targets.js'
import { slope } from '../bench/prove/memory.js'
import { mutated, mutatedSafetensors, partsOfSafetensors, safetensorsOf } from '../bench/prove/mutate.js'
import { outcomeOf } from '../bench/prove/outcome.js'
import { eachRound, must, randomOf } from '../bench/prove/proof.js'
import { PROOFS } from '../bench/prove/proofs.js'
import { Progress } from '../bench/prove/watch.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const good = [Buffer.from('n,c\n1,red\n2,green\n'), Buffer.from('a;b\n1;true\n')]
const rounds = Array.from({ length: 200 }, (_, round) => round)

describe('a proof', () => {
  test('has a name of its own, and rounds', () => {
    expect(new Set(PROOFS.map(({ name }) => name)).size).toBe(PROOFS.length)
    expect(PROOFS.filter(({ count, quick }) => count < quick || count < 1)).toEqual([])
  })

  test('that is broken names the round', async () => {
    const seen: number[] = []
    const broken = eachRound({ seed: 1, from: 3, count: 9 }, async (round) => {
      seen.push(round)
      must(round < 5, 'it did not hold')
    })
    expect(await rejection(broken)).toMatchObject({ message: 'round 5: it did not hold' })
    expect(seen).toEqual([3, 4, 5])
  })
})

describe('damaged files', () => {
  test('depend on the seed and the number of the round alone', () => {
    const made = (seed: number) => rounds.map((round) => mutated(good, randomOf(seed, round)).toString('hex'))
    expect(made(1)).toEqual(made(1))
    expect(made(1)).not.toEqual(made(2))
  })

  test('differ from good ones, nearly all', () => {
    const texts = good.map(String)
    const same = rounds.filter((round) => texts.includes(mutated(good, randomOf(1, round)).toString()))
    expect(same.length).toBeLessThan(rounds.length / 10)
  })

  test('of safetensors often have a header that is JSON, of another content', () => {
    const file = safetensorsOf({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, Buffer.alloc(8))
    const { header } = partsOfSafetensors(file)
    const changed = rounds.filter((round) => {
      try {
        const parts = partsOfSafetensors(mutatedSafetensors([file], randomOf(1, round)))
        return JSON.stringify(parts.header) !== JSON.stringify(header)
      } catch {
        return false
      }
    })
    expect(changed.length).toBeGreaterThan(rounds.length / 3)
  })
})

describe('inputs that are chosen by the code that they reach', () => {
  const folder = temporaryFolder()

  test.each(Object.keys(TARGETS))('of good files are read: %s', async (name) => {
    const { seeds, read, codes } = TARGETS[name]!
    const outcomes = new Set<string>()
    for (const seed of await seeds(folder)) outcomes.add(await outcomeOf(() => read(seed), codes))
    expect(outcomes).toContain('read')
  })

  test('are kept if they reach a branch that was not reached before, or reach it more often', () => {
    const program = `
      export function begins(text) { let n = 0; for (const c of text) if (c === 'a' && text.length > 1) n++; return n > 2 ? 'many' : n }`
    const { text, counters } = counted(program)
    const url = `data:text/javascript,${encodeURIComponent(text)}`
    expect(counters).toBeGreaterThan(5)
    return import(url).then(({ begins }: { begins: (text: string) => unknown }) => {
      const { branchCounters } = globalThis as unknown as { branchCounters: Uint8Array }
      const corpus = new Corpus(branchCounters)
      const answers = ['b', 'c', 'a', 'ab', 'ba', 'aaa', 'bbb', 'bb'].map((input) => {
        corpus.begin()
        const answer = begins(input)
        corpus.end(Buffer.from(input))
        return answer
      })
      expect(answers).toEqual([0, 0, 0, 1, 1, 'many', 0, 0])
      expect(corpus.inputs.map(String)).toEqual(['b', 'a', 'ab', 'aaa', 'bbb', 'bb'])
    })
  })

  test('are known after the end of the process that read them', () => {
    const path = join(folder, 'input')
    const progress = new Progress(path)
    expect(new Progress(path).present).toBeUndefined()
    progress.at(7, Buffer.from('longer'))
    progress.at(8, Buffer.from('one'))
    expect(new Progress(path).present).toEqual({ number: '8', input: Buffer.from('one') })
  })
})

test('the checksum of a changed checkpoint is CRC32C', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

test('the slope of memory is not moved by single steps', () => {
  const points = rounds.map((x) => [x, x === 100 ? 1000 : 2 * x] as const)
  expect(slope(points)).toBe(2)
  expect(slope(rounds.map((x) => [x, x % 2] as const))).toBeCloseTo(0, 5)
})
