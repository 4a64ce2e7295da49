import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The path of this code. Not every bundle has `import.meta.url`: a CommonJS bundle has `__filename` instead, and webpack inserts the path
 * at build time, which may no longer exist. A program given on the command line has `[eval]` there.
 */
export function here(): string {
  if (typeof __filename === 'string' && isAbsolute(__filename)) return __filename
  const url: string | undefined = import.meta.url
  return url?.startsWith('file:') ? fileURLToPath(url) : join(process.cwd(), 'layerwise')
}
