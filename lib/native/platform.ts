/** Platforms with a binary package, named as by @napi-rs/cli. */
export const PLATFORMS = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'win32-x64-msvc',
  'darwin-arm64',
  'darwin-x64',
]

/** The package that holds the addon for a platform. */
export function packageOf(platform: string): string {
  return `@layerwise/layerwise-${platform}`
}

/** This process's platform, as {@link PLATFORMS} names it. */
export function platformName(): string {
  const name = `${process.platform}-${process.arch}`
  if (process.platform === 'win32') return `${name}-msvc`
  if (process.platform !== 'linux') return name
  return `${name}-${isGlibc() ? 'gnu' : 'musl'}`
}

function isGlibc(): boolean {
  // Without the network part, for which Node would look up host names.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  report.excludeNetwork = before
  return header.glibcVersionRuntime !== undefined
}

/** The system requirements of a platform's package. */
export function needs(platform: string): string {
  if (platform.startsWith('darwin'))
    return platform === 'darwin-arm64' ? 'macOS 11 or newer' : 'macOS 10.15 or newer'
  if (platform.startsWith('win32')) return 'node.exe under that name, and Windows 10 or newer'
  return platform.endsWith('musl') ? 'musl 1.2.5 or newer' : 'glibc 2.28 or newer'
}

/** The options of npm to install for a platform. */
export function installFlags(platform: string): string {
  const [os, cpu, abi] = platform.split('-')
  const libc = os === 'linux' ? ` --libc=${abi === 'gnu' ? 'glibc' : 'musl'}` : ''
  return `--os=${os} --cpu=${cpu}${libc}`
}
