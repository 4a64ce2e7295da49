import { deepBigSimple } from './deep-big-simple.js'
import { deepMnist } from './deep-mnist.js'
import { denoisingMnist } from './denoising-mnist.js'
import { fashionMnistRecipe } from './fashion-mnist.js'
import { fewLabels } from './few-labels.js'
import { patches } from './patches.js'
import type { Recipe } from './recipe.js'
import { selfTaught } from './self-taught.js'
import { softmaxMnist } from './softmax-mnist.js'
import { stackedMnist } from './stacked-mnist.js'

/** All of them, in the order of docs/results.md. */
export const recipes: readonly Recipe[] = [
  softmaxMnist,
  selfTaught,
  stackedMnist,
  patches,
  deepMnist,
  denoisingMnist,
  fewLabels,
  fashionMnistRecipe,
  deepBigSimple,
]
