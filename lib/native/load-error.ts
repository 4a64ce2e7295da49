import { LayerwiseError, messageOf } from '../base/errors.js'
import { installFlags, needs, PLATFORMS, packageOf, platformName } from './platform.js'

/** One place where the addon was not found or failed to load. */
export interface Attempt {
  readonly place: string
  readonly error: unknown
}

/** How this code was installed. */
export interface Origin {
  /** It is a clone of the repository. */
  readonly isClone: boolean
  /** It is part of a bundle. */
  readonly isBundled: boolean
  /** The program is one executable. */
  readonly isExecutable: boolean
  /** Whether the package of the platform is installed. */
  readonly isInstalled: (platform: string) => boolean
}

/** What was tried, why it failed, and what helps. */
export function loadError(attempts: readonly Attempt[], origin: Origin): LayerwiseError {
  const lines = attempts.map(({ place, error }) => `- ${place}: ${reasonOf(error)}`)
  const errors = attempts.map(({ error }) => error)
  const message = [
    `layerwise cannot load its native addon on ${platformText()} (Node ${process.versions.node}). Tried:`,
    ...lines,
    `What to do: ${remedy(attempts, origin)}`,
  ].join('\n')
  return new LayerwiseError(
    'ERR_LOAD',
    message,
    {},
    errors.length === 1 ? errors[0] : new AggregateError(errors),
  )
}

/** Undefined if unknown. */
function platformText(): string {
  try {
    return platformName()
  } catch {
    return `${process.platform}-${process.arch}`
  }
}

/** The first line: after it Node lists the files that asked for the module. */
function reasonOf(error: unknown): string {
  return messageOf(error).split('\n')[0]!
}

/** Causes recognised by messages of the system, Node or the addon, at any place; the first match is used. */
const REMEDIES: readonly (readonly [cause: RegExp, remedy: () => string])[] = [
  [/ERR_DLOPEN_DISABLED/, withoutAddons],
  [/ERR_ACCESS_DENIED/, withoutPermission],
  [
    /Requires (ffi|read|env|sys) access|NotCapable/,
    () =>
      'Deno runs native code only if it may: `deno run --allow-ffi --allow-read --allow-env --allow-sys`.',
  ],
  [
    /failed to map segment from shared object|Operation not permitted/,
    () =>
      'the file system on which it lies lets nothing on it run (it is mounted noexec): install on another, or copy the .node file to another and name the copy with LAYERWISE_BINARY.',
  ],
  [
    /OPENBLAS_CORETYPE/,
    () =>
      `choose a kernel that is known to be right before Node starts: \`OPENBLAS_CORETYPE=${process.arch === 'arm64' ? 'NEOVERSEN1' : 'HASWELL'}\`.`,
  ],
]

/** The package is installed, but incomplete. */
const DAMAGED = /damaged|file too short|invalid ELF header|verify that the package\.json/

/** The addon's message if it cannot open the OpenBLAS of its package. */
const BESIDE = /cannot open the library beside the addon/

function remedy(attempts: readonly Attempt[], origin: Origin): string {
  const reasons = attempts.map(({ error }) => `${codeOf(error)} ${reasonOf(error)}`).join('\n')
  const known = REMEDIES.find(([cause]) => cause.test(reasons))
  if (known !== undefined) return known[1]()
  if (process.env.LAYERWISE_BINARY) {
    return 'LAYERWISE_BINARY overrules the search: name a layerwise.node built for this platform, or unset it.'
  }
  if (/OpenBLAS/.test(reasons)) {
    return 'the addon needs the pthread build of OpenBLAS (Debian and Ubuntu: libopenblas0-pthread). In a clone, `npm run setup` finds or fetches one and builds again.'
  }
  if (/openblas/.test(reasons) && !BESIDE.test(reasons)) {
    return 'the OpenBLAS this addon was built with is gone. In a clone, `npm run setup` finds or fetches one and builds again.'
  }
  if (origin.isClone) return 'this is a clone of the repository: build the addon with `npm run setup`.'
  return remedyOfInstall(reasons, origin)
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null | undefined)?.code ?? '')
}

function withoutAddons(): string {
  return hasPermissionModel()
    ? 'Node was started with its permission model: give it --allow-addons too.'
    : 'Node was started with --no-addons (look into NODE_OPTIONS and the execArgv of workers too): start it without.'
}

function withoutPermission(): string {
  return 'Node was started with its permission model: give it --allow-addons, and --allow-fs-read for node_modules.'
}

function hasPermissionModel(): boolean {
  return (process as { permission?: unknown }).permission !== undefined
}

/** For an installed package, not a clone. */
function remedyOfInstall(reasons: string, { isBundled, isExecutable, isInstalled }: Origin): string {
  const platform = platformName()
  if (isExecutable) {
    return `this program is one executable, beside which nothing is looked for: ship the .node file of ${packageOf(platform)} with it, and name it with LAYERWISE_BINARY before the first call.`
  }
  if (!PLATFORMS.includes(platform)) {
    return `there is no binary for ${platform}. Build one in a clone of the repository with \`npm run setup\`, and let LAYERWISE_BINARY name its build/Release/layerwise.node.`
  }
  if (isInstalled(platform)) {
    return DAMAGED.test(reasons) || BESIDE.test(reasons)
      ? `install again: \`npm install --force ${packageOf(platform)}\`.`
      : `${packageOf(platform)} is there but does not load: the reason is above. It needs ${needs(platform)}.`
  }
  const others = PLATFORMS.filter(isInstalled)
  if (others.length > 0) {
    return `node_modules was installed for ${others.join(', ')}, and this is ${platform}. Install where it runs (in an image: \`npm ci\` in it, do not copy node_modules), or \`npm install ${installFlags(platform)} layerwise\`.`
  }
  if (isBundled) {
    return `this program is a bundle, and the addon cannot be in it: leave ${packageOf('*')} outside, or layerwise as a whole, and ship that folder of node_modules with the program; or name a layerwise.node with LAYERWISE_BINARY.`
  }
  return 'install again with optional dependencies: `npm install --include=optional layerwise`.'
}
