import * as layerwise from 'layerwise'
import checks from './checks.cjs'

checks.check(layerwise)
