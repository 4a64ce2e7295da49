const layerwise = require('layerwise')
const { check } = require('./checks.cjs')

test('the statements hold', () => check(layerwise))
