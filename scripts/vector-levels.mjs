import { existsSync, readFileSync } from 'node:fs'

/**
 * The processor features that a level needs on x64: native/core/kernels/vector_kernels.cc reads them from the processor itself. @type
 * {[string, string[]][]}
 */
const flagsOfLevels = [
  ['avx512', ['avx512f', 'avx512dq', 'avx512bw', 'avx512vl', 'avx2', 'fma', 'popcnt']],
  ['avx2', ['avx2', 'fma', 'popcnt']],
  ['baseline', []],
]

/** The x64 levels, the best first. */
export const vectorLevels = flagsOfLevels.map(([level]) => level)

/**
 * Those of them that a processor has: by default this machine's. Of one that is no x64 processor, none; where Linux does not list its
 * flags, the last.
 * @param {string} [cpuinfo] text of /proc/cpuinfo
 * @returns {string[]} the best first
 */
export function levelsOfProcessor(cpuinfo = ownCpuinfo(), architecture = process.arch) {
  if (architecture !== 'x64') return []
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/))
  return flagsOfLevels.filter(([, needed]) => needed.every((flag) => flags.has(flag))).map(([level]) => level)
}

function ownCpuinfo() {
  return existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : ''
}
