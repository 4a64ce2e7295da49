import { describe, expect, test } from 'vitest'
import { slope } from '../bench/prove/memory.js'
import { mutated, mutatedSafetensors, partsOfSafetensors, safetensorsOf } from '../bench/prove/mutate.js'
import { eachRound, must, randomOf } from '../bench/prove/proof.js'
import { PROOFS } from '../bench/prove/proofs.js'
import { rejection } from './sample.js'

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

test('the slope of memory is not moved by single steps', () => {
  const points = rounds.map((x) => [x, x === 100 ? 1000 : 2 * x] as const)
  expect(slope(points)).toBe(2)
  expect(slope(rounds.map((x) => [x, x % 2] as const))).toBeCloseTo(0, 5)
})
