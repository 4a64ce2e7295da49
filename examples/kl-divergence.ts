// The sparsity penalty of one hidden unit: KL(ρ ‖ ρ̂) at ρ = 0.2 (Xue, "Inference of stacked sparse autoencoder", figure 2).
// It is 0 where the unit's mean activation ρ̂ is the target, and grows without bound towards 0 and 1.
//
//   npm run examples -- kl-divergence
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { plot } from '../lib/index.js'

/** KL(ρ ‖ ρ̂) = ρ ln(ρ/ρ̂) + (1−ρ) ln((1−ρ)/(1−ρ̂)), in nats: equation 4. */
export function klDivergence(rho: number, rhoHat: number): number {
  return rho * Math.log(rho / rhoHat) + (1 - rho) * Math.log((1 - rho) / (1 - rhoHat))
}

/** Points (ρ̂, KL(ρ ‖ ρ̂)) at ρ̂ = 1/n, 2/n … (n−1)/n. */
export function klCurve(rho: number, n: number): [rhoHat: number, divergence: number][] {
  return Array.from({ length: n - 1 }, (_, i) => [(i + 1) / n, klDivergence(rho, (i + 1) / n)])
}

export async function main(folder = fileURLToPath(new URL('output/', import.meta.url))): Promise<string> {
  console.log('  ρ̂    KL(0.2 ‖ ρ̂)')
  for (const rhoHat of [0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99]) {
    console.log(`${rhoHat.toFixed(2)}  ${klDivergence(0.2, rhoHat).toFixed(6)}`)
  }
  const svg = plot([{ label: 'KL(0.2 ‖ ρ̂)', points: klCurve(0.2, 200) }], {
    title: 'The sparsity penalty at ρ = 0.2',
    xLabel: 'mean activation ρ̂',
    yLabel: 'KL(ρ ‖ ρ̂), nats',
  })
  await mkdir(folder, { recursive: true })
  const path = `${folder.replace(/\/$/, '')}/kl-divergence.svg`
  await writeFile(path, svg)
  console.log(`\nwritten: ${path}`)
  return path
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
