/** Reads the platform and requirements of a binary from its bytes, without tools of its platform. */
import { readFileSync } from 'node:fs'
import { oldestGlibc } from './prebuild-platforms.mjs'

/**
 * The kind of file and the processor, in the words of Node's `process.platform` and `process.arch`.
 * @param {Buffer} binary
 */
export function targetOf(binary) {
  const magic = binary.readUInt32BE(0)
  if (magic === 0x7f454c46) return `linux-${{ 62: 'x64', 183: 'arm64' }[binary.readUInt16LE(18)] ?? 'other'}`
  if (magic === 0xcffaedfe) {
    return `darwin-${{ 16777223: 'x64', 16777228: 'arm64' }[binary.readUInt32LE(4)] ?? 'other'}`
  }
  if (binary.toString('latin1', 0, 2) === 'MZ') {
    const header = binary.readUInt32LE(0x3c)
    return `win32-${{ 34404: 'x64', 43620: 'arm64' }[binary.readUInt16LE(header + 4)] ?? 'other'}`
  }
  return 'other'
}

/**
 * The newest glibc version among the symbols of a binary; undefined if there is none.
 * @param {Buffer} binary
 */
export function glibcOf(binary) {
  const versions = [...binary.toString('latin1').matchAll(/\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)/g)]
    .map(([, major, minor]) => [Number(major), Number(minor)])
    .sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d)
  return versions.at(-1)?.join('.')
}

/**
 * @param {import('./prebuild-platforms.mjs').Platform} platform
 * @param {string} path
 * @throws {Error} if the addon is for another platform, or needs a newer glibc
 */
export function checkBinary({ name }, path) {
  const binary = readFileSync(path)
  const target = targetOf(binary)
  if (!`${name}-`.startsWith(`${target}-`)) throw new Error(`${path} is made for ${target}, not for ${name}`)
  const glibc = glibcOf(binary)
  if (!name.endsWith('-gnu')) {
    if (glibc) throw new Error(`${path} asks for glibc ${glibc}, which ${name} does not have`)
    return
  }
  if (glibc === undefined || Number(glibc.split('.')[1]) > Number(oldestGlibc.split('.')[1])) {
    throw new Error(`${path} asks for glibc ${glibc}; at most ${oldestGlibc} was wanted`)
  }
  console.log(`glibc ${glibc} or newer`)
}
