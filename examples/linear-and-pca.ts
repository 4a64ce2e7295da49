// A linear autoencoder and principal component analysis find the same thing: Johnson & Ramsundar's section "Equivalence with PCA", of
// which they wrote the title. On a correlated Gaussian and on handwritten digits:
//
//   while it trains, the span of the decoder turns into that of the leading components, and the error comes down to ½ Σ_{i>h} wᵢ
//   the axes themselves are not found, until the weights decay; then each is, shrunk to s² = 1 − λ/(2wᵢ) tied, 1 − λ/wᵢ untied, and those
//   with wᵢ ≤ λ/2 or λ vanish
//   the paper's penalty on the mean code does nothing to centred data, and to other data little more than turn W
//
//   npm run examples -- linear-and-pca
//   npm run examples -- linear-and-pca --quick    fewer digits
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  featureImage,
  type Matrix,
  Pca,
  type PlotOptions,
  plot,
  principalAxes,
  type Series,
  writePng,
} from '../lib/index.js'
import { mnist } from './demo/mnist.js'
import { type Approach, approach, axisAngles, rowAngles } from './linear-and-pca/approach.js'
import { gaussianRows } from './linear-and-pca/gaussian-rows.js'
import { underPenalty } from './linear-and-pca/mean-code.js'

const BETAS = [1e-3, 1e-2, 1e-1, 1, 10]

/** Trains with and without decay, tied and untied, and shows what was found. */
async function compare(name: string, x: Matrix, hidden: number, rank: number, draw: Draw): Promise<Approach> {
  const pca = await new Pca({ precision: 'float64' }).fit(x)
  const w = pca.explainedVariance
  // Untied, the direction after `rank` vanishes because of its decay; tied, it does not.
  const weightDecay = (w[rank]! + w[rank - 1]!) / 2
  console.log(
    `\n${name}: ${x.rows.toLocaleString('en')} rows, ${x.cols} columns, ${hidden} hidden units, λ ${weightDecay.toFixed(4)}`,
  )
  console.log('weights          iterations   above least cost   angle of spans   angle of axes   directions')
  const runs = []
  for (const tied of [true, false]) {
    for (const decay of [0, weightDecay]) {
      const run = await approach(x, pca, { hidden, tied, weightDecay: decay })
      runs.push(run)
      const { gaps, angles, optimum } = run
      const axes = Math.max(...(await axisAngles(run)))
      const kept = optimum.singularValues.filter((s) => s > 0).length
      console.log(
        `${`${tied ? 'tied' : 'untied'}${decay > 0 ? ', decayed' : ''}`.padEnd(15)}  ${`${gaps.length}`.padStart(10)}` +
          [gaps.at(-1)![1], angles.at(-1)![1], axes]
            .map((value, i) => value.toExponential(1).padStart([19, 17, 16][i]!))
            .join('') +
          `${kept}`.padStart(13),
      )
    }
  }
  const [tied, tiedDecayed, untied, untiedDecayed] = runs as [Approach, Approach, Approach, Approach]

  await draw(
    'approach',
    `${name}: on the way to the components`,
    { xLabel: 'iteration', yLabel: 'radians, share of the least cost', yScale: 'log' },
    [
      { label: 'angle, tied', points: tied.angles },
      { label: 'error above least, tied', points: tied.gaps },
      { label: 'angle, untied', points: untied.angles },
      { label: 'error above least, untied', points: untied.gaps },
    ],
  )
  await draw(
    'axes',
    `${name}: how far each axis is from its component`,
    { xLabel: 'axis', yLabel: 'radians', yScale: 'log' },
    [
      { label: 'tied', points: counted(await axisAngles(tied)) },
      { label: 'untied', points: counted(await axisAngles(untied)) },
      { label: 'tied, decayed', points: counted(await axisAngles(tiedDecayed)) },
      { label: 'untied, decayed', points: counted(await axisAngles(untiedDecayed)) },
    ],
  )
  await draw(
    'shrinkage',
    `${name}: what decay leaves of each direction, λ ${weightDecay.toFixed(3)}`,
    { xLabel: 'axis', yLabel: 's²' },
    [
      ...(await shrinkage('tied', '1 − λ/(2w)', tiedDecayed)),
      ...(await shrinkage('untied', '1 − λ/w', untiedDecayed)),
    ],
  )

  for (const run of [tied, untied]) {
    claim('the error falls to ½ Σ_{i>h} wᵢ', Math.abs(run.gaps.at(-1)![1]) < 1e-6)
    claim('the spans become equal', run.angles.at(-1)![1] < 1e-3)
    claim('the axes are not found without decay', Math.max(...(await axisAngles(run))) > 0.1)
  }
  for (const run of [tiedDecayed, untiedDecayed]) {
    claim('the axes are found with decay', Math.max(...(await axisAngles(run))) < 1e-3)
    claim('the axes are not the rows of W', Math.min(...(await rowAngles(run))) > 0.01)
    const { values } = await principalAxes(run.model)
    const off = run.optimum.singularValues.map((s, i) => Math.abs(s ** 2 - (values[i] ?? 0) ** 2))
    claim('each axis is shrunk as computed', Math.max(...off) < 1e-5)
  }
  const directions = async ({ model }: Approach) =>
    (await principalAxes(model)).values.filter((s) => s > 0.01).length
  claim('untied, directions with wᵢ ≤ λ vanish', (await directions(untiedDecayed)) === rank)
  claim(
    'tied, those with wᵢ ≤ λ/2',
    (await directions(tiedDecayed)) === Math.min(hidden, w.filter((v) => v > weightDecay / 2).length),
  )
  return tiedDecayed
}

/** The paper's penalty on centred and on uncentred rows. */
async function penalise(draw: Draw): Promise<void> {
  const x = gaussianRows(2000, 20, { offset: 1 })
  const options = { hidden: 4, target: 2 }
  const centred = await underPenalty(x, { ...options, center: true }, BETAS)
  const uncentred = await underPenalty(x, { ...options, center: false }, BETAS)
  console.log('\nthe penalty β‖ρ̂ − ρ‖², ρ = 2 for each of 4 units, on Gaussian rows with mean 1')
  console.log('           centred                uncentred')
  console.log('     β      ‖ρ̂ − ρ‖      loss      ‖ρ̂ − ρ‖      loss')
  BETAS.forEach((beta, i) => {
    const cells = [centred[i]!, uncentred[i]!].map(
      ({ distance, loss }) => `${distance.toFixed(4).padStart(13)}${loss.toFixed(4).padStart(10)}`,
    )
    console.log(`${`${beta}`.padStart(6)}${cells.join('')}`)
  })
  const along = (points: readonly { distance: number }[]) =>
    points.map(({ distance }, i): [number, number] => [Math.log10(BETAS[i]!), distance])
  await draw('penalty', 'How far the mean code is from ρ', { xLabel: 'log₁₀ β', yLabel: '‖ρ̂ − ρ‖' }, [
    { label: 'centred', points: along(centred) },
    { label: 'uncentred', points: along(uncentred) },
  ])
  const norm = Math.hypot(...Array(options.hidden).fill(options.target))
  claim(
    'on centred rows the mean code stays 0',
    centred.every(({ distance }) => Math.abs(distance - norm) < 1e-6),
  )
  claim(
    'and the loss what it was',
    centred.every(({ loss }) => Math.abs(loss - centred[0]!.loss) < 1e-6),
  )
  claim('on uncentred data the mean code reaches ρ', uncentred.at(-1)!.distance < 0.1 * norm)
}

type Draw = (name: string, title: string, options: PlotOptions, series: readonly Series[]) => Promise<void>

/** Writes plots into a folder. */
function drawInto(folder: string, prefix: string): Draw {
  return async (name, title, options, series) => {
    await writeFile(`${folder}${prefix}-${name}.svg`, plot(series, { title, ...options }))
  }
}

async function shrinkage(label: string, formula: string, { model, optimum }: Approach): Promise<Series[]> {
  const { values } = await principalAxes(model)
  const { singularValues } = optimum
  return [
    {
      label: `${label}, found`,
      points: counted(Array.from(singularValues, (_, i) => (values[i] ?? 0) ** 2)),
    },
    { label: `${label}, ${formula}`, points: counted(Array.from(singularValues, (s) => s ** 2)) },
  ]
}

function counted(values: readonly number[]): [number, number][] {
  return values.map((value, i) => [i + 1, value])
}

function claim(statement: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${statement}`)
}

export async function main({
  quick = false,
  folder = fileURLToPath(new URL('output/', import.meta.url)),
} = {}): Promise<void> {
  await mkdir(folder, { recursive: true })
  await compare('a correlated Gaussian', gaussianRows(2000, 20), 6, 3, drawInto(folder, 'linear-gaussian'))
  await penalise(drawInto(folder, 'linear-gaussian'))
  const digits = (await mnist('train')).slice(0, quick ? 300 : 1000)
  const { model } = await compare('digits', digits, quick ? 6 : 8, 3, drawInto(folder, 'linear-digits'))
  await writePng(
    `${folder}linear-digits-axes.png`,
    featureImage((await principalAxes(model)).vectors, { width: 28, zoom: 3 }),
  )
  await writePng(`${folder}linear-digits-rows.png`, featureImage(model, { width: 28, zoom: 3 }))
  console.log(`\nplots, the axes found among digits, and the rows of W: ${folder}linear-*`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
  await main(values)
}
