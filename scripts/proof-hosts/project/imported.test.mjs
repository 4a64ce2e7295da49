import * as layerwise from 'layerwise'
import checks from './checks.cjs'

test('the statements hold', () => checks.check(layerwise))
