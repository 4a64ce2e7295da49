/**
 * Which file may import which: checked by dependency-cruiser in `npm run lint`. Imports of types count like all others.
 * A room is a folder. To let one room lean on another, name it here, and say why in docs/design.md, "Rooms".
 */

/** Each room with those it may import. Only rooms above it in the list can be named, so that no circle can be. */
const lib = oneWay([
  ['base', []],
  ['native', ['base']],
  ['data', ['base', 'native']],
  ['data/dataset', ['base', 'native', 'data']],
  ['data/scaling', ['base', 'native', 'data', 'data/dataset']],
  ['tables', ['base', 'native', 'data']],
  ['tables/encoding', ['base', 'data', 'data/scaling', 'tables']],
  ['objective', ['base', 'native']],
  ['checkpoint', ['base', 'native', 'data']],
  ['training', ['base', 'native', 'data', 'objective', 'checkpoint']],
  [
    'models',
    ['base', 'native', 'data', 'data/dataset', 'data/scaling', 'objective', 'checkpoint', 'training'],
  ],
  ['linear', ['base', 'data', 'models']],
  [
    'anomaly',
    [
      'base',
      'native',
      'data',
      'data/dataset',
      'data/scaling',
      'tables',
      'tables/encoding',
      'training',
      'models',
    ],
  ],
  ['loading', ['base', 'data', 'models', 'anomaly']],
  ['inspect', ['base', 'native', 'data', 'objective', 'training', 'models']],
])

/** The same of the benchmarks, whose programs lie beside these rooms and may import all of them. */
const bench = oneWay([
  ['measuring', []],
  ['synthetic', []],
  ['server', ['measuring']],
  ['cases', ['measuring', 'server']],
  ['anomaly', ['measuring']],
  ['tables', ['measuring']],
  ['golden', ['measuring']],
  ['peers', ['measuring']],
  ['against', ['measuring', 'peers']],
  ['reproduce', ['measuring', 'synthetic']],
  ['scaling', ['measuring']],
  ['large', ['measuring', 'synthetic', 'peers']],
  ['prove', ['measuring', 'synthetic']],
  ['prove/children', ['prove']],
])

/** @param {[room: string, below: string[]][]} rooms */
function oneWay(rooms) {
  const above = new Set()
  for (const [room, below] of rooms) {
    const late = below.find((other) => !above.has(other))
    if (late !== undefined)
      throw new Error(`${room} may not import ${late}, which is not above it in the list`)
    above.add(room)
  }
  return rooms
}

/** @param {string} folder @param {string[]} rooms */
const filesOf = (folder, rooms) => `^${folder}/(${rooms.join('|')})/[^/]+$`

/** @param {string} folder @param {[room: string, below: string[]][]} rooms */
function rulesOf(folder, rooms) {
  return [
    ...rooms.map(([room, below]) => ({
      name: `${folder}/${room}`,
      comment: `${folder}/${room} may import ${[...below, 'itself'].join(', ')} of ${folder}`,
      severity: 'error',
      from: { path: filesOf(folder, [room]) },
      to: { path: `^${folder}/`, pathNot: filesOf(folder, [room, ...below]) },
    })),
    {
      name: `${folder}: a room that is not in the list`,
      severity: 'error',
      from: {
        path: `^${folder}/.+/`,
        pathNot: filesOf(
          folder,
          rooms.map(([room]) => room),
        ),
      },
      to: {},
    },
  ]
}

export default {
  forbidden: [
    { name: 'ring', severity: 'error', from: {}, to: { circular: true } },
    { name: 'nothing there', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...rulesOf('lib', lib),
    {
      name: 'lib: only itself and Node',
      severity: 'error',
      from: { path: '^lib/' },
      to: { pathNot: '^lib/', dependencyTypesNot: ['core'] },
    },
    ...rulesOf('bench', bench),
    {
      name: 'bench: of the tests only oracle and tolerances',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^test/', pathNot: '^test/(oracle/|tolerances\\.ts$)' },
    },
    {
      name: 'examples: only public names, as a user has them',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(lib|bench|test|scripts)/', pathNot: '^lib/index\\.ts$' },
    },
  ],
  options: {
    // TypeScript 7 has no compiler API to read imports by. What swc does not see is an import inside a type: `import('./x.js').T`.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '^scripts/proof-hosts/project/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
