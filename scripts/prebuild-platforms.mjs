/**
 * The platforms with a package, and the parts of each build. Everything is pinned; files with another checksum are refused.
 *
 * @typedef {{
 *   kind: 'debian',
 *   file: string,
 *   architecture: 'amd64' | 'arm64',
 *   sha256: string,
 *   replaced?: Record<string, string>,
 * }} DebianArchive `replaced`: processors whose kernels are left out, and the processor whose kernels serve instead
 * @typedef {{ kind: 'wheel', tag: string, sha256: string }} Wheel
 * @typedef {{
 *   name: string,
 *   triple: string,
 *   zigTarget: string,
 *   openblas: DebianArchive | Wheel,
 *   library?: string,
 * }} Platform `triple` as @napi-rs/cli takes it; `library`: the file of the wheel beside the addon
 */

export const zigVersion = '0.16.0'
export const debianVersion = '0.3.21+ds-4'
export const wheelVersion = '0.3.34.481.3'

/** zig for the building machine: pip fetches the wheel for it and checks the sum. Linux x64. */
export const zigWheel = {
  requirement: `ziglang==${zigVersion}`,
  sha256: '9fcda73f62b851dd72a54b710ad40a209896db14cfb13649e62191243556342b',
}

/** glibc 2.28 is that of RHEL 8 and Debian 10, the oldest on which Node 20 runs. */
export const oldestGlibc = '2.28'

/** Kernels for old processors, which are half of the archive, each with the kernels of another processor that also run on it. */
const oldProcessors = {
  ATOM: 'PRESCOTT',
  NANO: 'PRESCOTT',
  CORE2: 'PRESCOTT',
  PENRYN: 'PRESCOTT',
  DUNNINGTON: 'PRESCOTT',
  OPTERON_SSE3: 'PRESCOTT',
  BARCELONA: 'PRESCOTT',
  BOBCAT: 'PRESCOTT',
  BULLDOZER: 'SANDYBRIDGE',
  PILEDRIVER: 'SANDYBRIDGE',
  STEAMROLLER: 'SANDYBRIDGE',
  EXCAVATOR: 'HASWELL',
}

/** @type {Platform[]} */
export const platforms = [
  {
    name: 'linux-x64-gnu',
    triple: 'x86_64-unknown-linux-gnu',
    zigTarget: `x86_64-linux-gnu.${oldestGlibc}`,
    openblas: {
      kind: 'debian',
      file: 'usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.a',
      architecture: 'amd64',
      sha256: '71325c822115f962bfe85c529f3b839e67f0fb6127f0918ebc2bd6ea3d527950',
      replaced: oldProcessors,
    },
  },
  {
    name: 'linux-x64-musl',
    triple: 'x86_64-unknown-linux-musl',
    zigTarget: 'x86_64-linux-musl',
    openblas: {
      kind: 'wheel',
      tag: 'musllinux_1_2_x86_64',
      sha256: '46fac855d3c05004f9ee111eeeeb0aeb076c6411fc6f87c34a49b8ba729c4c38',
    },
    library: 'libscipy_openblas.so',
  },
  {
    name: 'linux-arm64-gnu',
    triple: 'aarch64-unknown-linux-gnu',
    zigTarget: `aarch64-linux-gnu.${oldestGlibc}`,
    openblas: {
      kind: 'debian',
      file: 'usr/lib/aarch64-linux-gnu/openblas-pthread/libopenblas.a',
      architecture: 'arm64',
      sha256: 'c11a5e576b46322abdc0b3f199a622d28686637279db1d16ec1ba04ac22cec10',
    },
  },
  {
    name: 'linux-arm64-musl',
    triple: 'aarch64-unknown-linux-musl',
    zigTarget: 'aarch64-linux-musl',
    openblas: {
      kind: 'wheel',
      tag: 'musllinux_1_2_aarch64',
      sha256: '88b00ba6a232fe958695403f6f71858fb23c3c9ce561c467e787e5d46ace16ca',
    },
    library: 'libscipy_openblas.so',
  },
  {
    name: 'win32-x64-msvc',
    triple: 'x86_64-pc-windows-msvc',
    zigTarget: 'x86_64-windows-gnu',
    openblas: {
      kind: 'wheel',
      tag: 'win_amd64',
      sha256: '963e311354df08856c22aad17d77209448d2d8fc3bc4b3b1d87912828797cf13',
    },
    library: 'libscipy_openblas.dll',
  },
  {
    name: 'darwin-arm64',
    triple: 'aarch64-apple-darwin',
    zigTarget: 'aarch64-macos.11.0',
    openblas: {
      kind: 'wheel',
      tag: 'macosx_11_0_arm64',
      sha256: '813bb8101da2f64555c4a5e71c3714539d92b0b4f1841ec12b80d50e56cde46c',
    },
    library: 'libscipy_openblas.dylib',
  },
  {
    name: 'darwin-x64',
    triple: 'x86_64-apple-darwin',
    zigTarget: 'x86_64-macos.10.15',
    openblas: {
      kind: 'wheel',
      tag: 'macosx_10_13_x86_64',
      sha256: '85d42ee10fd207ed6014273dcb9236ab1a65d21357f278b3aa0a78e8189665a8',
    },
    library: 'libscipy_openblas.dylib',
  },
]

/**
 * @param {string[]} names as in `platforms`; `win32-x64` will do for `win32-x64-msvc`. Empty: all.
 * @returns {Platform[]}
 */
export function choosePlatforms(names) {
  if (names.length === 0) return platforms
  return names.map((name) => {
    const found = platforms.find((platform) => platform.name === name || platform.name === `${name}-msvc`)
    if (!found) {
      throw new Error(
        `no platform ${name}: there are ${platforms.map((platform) => platform.name).join(', ')}`,
      )
    }
    return found
  })
}

/** The name of this platform. */
export function platformHere() {
  const name = `${process.platform}-${process.arch}`
  if (process.platform === 'win32') return `${name}-msvc`
  if (process.platform !== 'linux') return name
  const report = /** @type {any} */ (process.report?.getReport())
  return `${name}-${report.header.glibcVersionRuntime ? 'gnu' : 'musl'}`
}
