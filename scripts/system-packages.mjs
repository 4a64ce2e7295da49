/**
 * The package names of each system for the requirements of a build, and the command that installs them. Pure functions without effects on
 * the machine.
 *
 * @typedef {'compiler' | 'compilerCache' | 'make' | 'cmake' | 'openblas' | 'googletest' | 'python' | 'pip' | 'fashionMnist'} Need
 * @typedef {'debian' | 'fedora' | 'alpine' | 'macos'} Family
 */

/** @type {Record<Need, string>} */
export const reasons = {
  compiler: 'a C++17 compiler, for the native core',
  compilerCache: 'ccache, which compiles nothing twice',
  make: 'make (or Ninja), which runs the compiler',
  cmake: 'CMake 3.19 or newer, which describes the native build',
  openblas: 'OpenBLAS in its pthread build, which multiplies the matrices',
  googletest: 'GoogleTest, for the C++ tests',
  python: 'Python 3, which pip and node-gyp run on',
  pip: 'pip, which fetches and checks the OpenBLAS wheel',
  fashionMnist: 'Fashion-MNIST, 70,000 pictures of clothes that training is tried on',
}

/**
 * Packages by family. An empty list: the system has no such package, and set-up does not install it (macOS's compiler and make come with
 * `xcode-select`; Homebrew's OpenBLAS is an OpenMP build, so the wheel is used).
 * @type {Record<Family, Record<Need, string[]>>}
 */
const packages = {
  debian: {
    compiler: ['g++'],
    compilerCache: ['ccache'],
    make: ['make'],
    cmake: ['cmake'],
    openblas: ['libopenblas-pthread-dev'],
    googletest: ['libgtest-dev'],
    python: ['python3'],
    pip: ['python3-pip'],
    fashionMnist: ['dataset-fashion-mnist'],
  },
  fedora: {
    compiler: ['gcc-c++'],
    compilerCache: ['ccache'],
    make: ['make'],
    cmake: ['cmake'],
    openblas: ['openblas-devel', 'openblas-threads'],
    googletest: ['gtest-devel'],
    python: ['python3'],
    pip: ['python3-pip'],
    fashionMnist: [],
  },
  alpine: {
    compiler: ['build-base'],
    compilerCache: ['ccache'],
    make: ['build-base'],
    cmake: ['cmake'],
    openblas: ['openblas-dev'],
    googletest: ['gtest-dev'],
    python: ['python3'],
    pip: ['py3-pip'],
    fashionMnist: [],
  },
  macos: {
    compiler: [],
    compilerCache: ['ccache'],
    make: [],
    cmake: ['cmake'],
    openblas: [],
    googletest: ['googletest'],
    python: ['python3'],
    pip: ['python3'],
    fashionMnist: [],
  },
}

/**
 * @param {NodeJS.Platform} platform
 * @param {string} osRelease text of /etc/os-release; empty where there is none
 * @returns {Family | undefined} undefined: a system whose packages we do not know
 */
export function familyOf(platform, osRelease) {
  if (platform === 'darwin') return 'macos'
  if (platform !== 'linux') return undefined
  const fields = new Map(
    osRelease.split('\n').flatMap((line) => {
      const match = /^([A-Z_]+)=["']?(.*?)["']?\s*$/.exec(line)
      return match ? [[/** @type {string} */ (match[1]), /** @type {string} */ (match[2])]] : []
    }),
  )
  const names = [fields.get('ID') ?? '', ...(fields.get('ID_LIKE') ?? '').split(' ')]
  if (names.some((name) => name === 'debian' || name === 'ubuntu')) return 'debian'
  if (names.some((name) => name === 'fedora' || name === 'rhel' || name === 'centos')) return 'fedora'
  if (names.includes('alpine')) return 'alpine'
  return undefined
}

/**
 * Whether a family has a package for a need, so that there is something to install.
 * @param {Family | undefined} family
 * @param {Need} need
 */
export function hasPackage(family, need) {
  return family !== undefined && packages[family][need].length > 0
}

/**
 * The commands that install missing requirements, each as program and arguments, without `sudo`.
 * @param {Family} family
 * @param {Need[]} needs
 * @param {{ refreshLists?: boolean }} [options] refreshLists: apt's lists are missing or stale
 * @returns {string[][]}
 */
export function installCommands(family, needs, { refreshLists = false } = {}) {
  const names = [...new Set(needs.flatMap((need) => packages[family][need]))]
  /** @type {string[][]} */
  const commands = []
  if (family === 'macos' && needs.some((need) => need === 'compiler' || need === 'make'))
    commands.push(['xcode-select', '--install'])
  if (names.length === 0) return commands
  if (family === 'debian') {
    if (refreshLists) commands.push(['apt-get', 'update'])
    commands.push(['apt-get', 'install', '--yes', '--no-install-recommends', ...names])
  }
  if (family === 'fedora') commands.push(['dnf', 'install', '--assumeyes', ...names])
  if (family === 'alpine') commands.push(['apk', 'add', ...names])
  if (family === 'macos') commands.push(['brew', 'install', ...names])
  return commands
}

/**
 * The same commands as one line to type.
 * @param {Family} family
 * @param {string[][]} commands
 */
export function commandLine(family, commands) {
  const sudo = family === 'macos' ? '' : 'sudo '
  return commands.map((command) => sudo + command.join(' ')).join(' && ')
}
