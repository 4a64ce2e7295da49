const layerwise = require('layerwise')
const { check } = require('./checks.cjs')

check(layerwise)
