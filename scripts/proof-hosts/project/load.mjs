import { runtime } from 'layerwise'

try {
  console.log(`loaded: ${runtime().version}`)
} catch (error) {
  console.log(error.code, error.message)
}
