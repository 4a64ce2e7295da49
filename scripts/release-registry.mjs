/** A registry on loopback that serves the given tarballs and nothing else: installs from it use no network. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename } from 'node:path'

/** @param {string} tarball @returns {any} its package.json */
function describe(tarball) {
  const { stdout, status } = spawnSync('tar', ['-xOzf', tarball, 'package/package.json'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${tarball} holds no package`)
  return JSON.parse(stdout)
}

/**
 * @param {string[]} tarballs paths, as `npm pack` made them
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serveRegistry(tarballs) {
  /** @type {Map<string, string>} */
  const packages = new Map()
  /** @type {Map<string, Buffer>} */
  const files = new Map()
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/').slice(1)
    const body = packages.get(path) ?? files.get(path)
    response.statusCode = body === undefined ? 404 : 200
    response.end(body ?? '{}')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const url = `http://127.0.0.1:${port}/`
  for (const tarball of tarballs) {
    const file = basename(tarball)
    const contents = readFileSync(tarball)
    files.set(file, contents)
    const description = describe(tarball)
    const { name, version } = description
    const integrity = `sha512-${createHash('sha512').update(contents).digest('base64')}`
    const versions = { [version]: { ...description, dist: { tarball: url + file, integrity } } }
    packages.set(name, JSON.stringify({ name, 'dist-tags': { latest: version }, versions }))
  }
  return {
    url,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
