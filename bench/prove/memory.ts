import { endsWell, programOf, start } from './child.js'
import { must, type Proof } from './proof.js'

/** The first share of the rounds, in which pools, caches and the code of the engine fill. */
const WARM_UP = 0.3

/** The most growth of resident memory over the rounds after it, in MiB, of which the collector and the allocator take some. */
const ALLOWED = 8

/** The slope by Theil and Sen: the median of the slopes of all pairs, which single steps of the allocator do not move. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const slopes = points.flatMap(([x, y], i) => points.slice(i + 1).map(([u, v]) => (v - y) / (u - x)))
  slopes.sort((a, b) => a - b)
  return slopes[slopes.length >> 1]!
}

function memoryOver(kind: 'fits' | 'encodes', count: number, quick: number): Proof {
  return {
    name: `memory over ${kind}`,
    promise: `resident memory is flat: its slope after the warm-up is less than ${ALLOWED} MiB over all of them`,
    rounds: kind,
    count,
    quick,
    async prove({ count }) {
      const child = start(programOf('grows'), [kind, String(count)], { node: ['--expose-gc'] })
      const moments = JSON.parse(await endsWell(child)) as [number, number][]
      const late = moments.filter(([number]) => number > count * WARM_UP)
      const grown = slope(late) * (late.at(-1)![0] - late[0]![0])
      const [first, last] = [late[0]![1], late.at(-1)![1]]
      const seen = `${first.toFixed(1)} MiB after the warm-up, ${last.toFixed(1)} at the end, a slope of ${grown.toFixed(2)} MiB over them`
      must(grown < ALLOWED, seen)
      return seen
    },
  }
}

/** Heaps and arenas of threads fill for about 2,000 fits: a quick run would see only that. `bench/soak.ts --short` is its smoke test. */
export const memoryOverFits = memoryOver('fits', 10_000, 0)
export const memoryOverEncodes = memoryOver('encodes', 100_000, 3000)
