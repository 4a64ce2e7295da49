import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { absoluteLinks, anchorsOf, linksOf, repositoryPage } from '../scripts/markdown-links.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const texts = ['.', 'docs', 'docs/lab'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
)
const relativeLinks = texts.flatMap((text) =>
  linksOf(readFileSync(join(root, text), 'utf8'))
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => [text, link] as const),
)

describe('every relative link of the texts', () => {
  test('is found', () => {
    expect(relativeLinks.filter(([text]) => text === 'README.md').length).toBeGreaterThan(20)
    expect(relativeLinks.filter(([, link]) => link.includes('#')).length).toBeGreaterThan(1)
  })

  test.each(relativeLinks)('of %s: %s leads to a file, and to a heading of it', (text, link) => {
    const [path = '', anchor] = link.split('#')
    const file = path === '' ? join(root, text) : join(root, dirname(text), path)
    expect(existsSync(file), relative(root, file)).toBe(true)
    if (anchor !== undefined) expect([...anchorsOf(readFileSync(file, 'utf8'))]).toContain(anchor)
  })
})

/** Files that a text names in code by their path from the root; `name.{h,cc}` are two. */
function pathsOf(text: string): string[] {
  const named = text.matchAll(
    /`((?:bench|docs|examples|lib|native|scripts|test)\/[\w./-]+)\.(\w+|\{\w+(?:,\w+)*\})`/g,
  )
  return Array.from(named).flatMap(([, name, endings]) =>
    Array.from(endings!.matchAll(/\w+/g), ([ending]) => `${name}.${ending}`),
  )
}

describe('every path of a source file', () => {
  test.each(['CONTRIBUTING.md', 'docs/design.md'])('in %s leads to a file', (text) => {
    const paths = pathsOf(readFileSync(join(root, text), 'utf8'))
    expect(paths).not.toEqual([])
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('with several endings in braces is the path of several files', () => {
    expect(pathsOf('`lib/a.{h,cc}` `lib/b-c/d.test.ts` `lib/e` `b.h` lib/f.ts')).toEqual([
      'lib/a.h',
      'lib/a.cc',
      'lib/b-c/d.test.ts',
    ])
  })
})

describe('linksOf', () => {
  test('finds links and pictures, across lines, and none in code', () => {
    const text = '[a](b.md) ![c](d.png)\n[e\nf](g.md#h) `[i](j)`\n```\n[k](l)\n```\n'
    expect(linksOf(text)).toEqual(['b.md', 'd.png', 'g.md#h'])
  })
})

describe('anchorsOf', () => {
  test('gives the anchors of headings as on repository hosts, numbered if they repeat', () => {
    const text = '# A `b` [c](d), e!\n## What it is\n## What it is\n```\n# no heading\n```\n'
    expect([...anchorsOf(text)]).toEqual(['a-b-c-e', 'what-it-is', 'what-it-is-1'])
  })
})

describe('repositoryPage', () => {
  test.each([
    [{ url: 'git+https://example.org/owner/name.git' }, 'https://example.org/owner/name'],
    [{ url: 'git+ssh://git@example.org/owner/name.git' }, 'https://example.org/owner/name'],
    [{ url: 'git@example.org:owner/name.git' }, 'https://example.org/owner/name'],
    ['https://example.org/owner/name/', 'https://example.org/owner/name'],
    ['github:owner/name', 'https://github.com/owner/name'],
    ['owner/name', 'https://github.com/owner/name'],
    [undefined, undefined],
    [{}, undefined],
  ])('of %j is %s', (repository, page) => {
    expect(repositoryPage(repository)).toBe(page)
  })
})

describe('absoluteLinks', () => {
  test('lead to the repository: files to their pages, pictures to their contents', () => {
    const text =
      '![p](docs/p.png) [a](docs/a.md#b) [c](#here) [d](https://x.org) `[e](f)` [![g](h.png)](i.md)'
    expect(absoluteLinks(text, 'https://x.org/o/n')).toBe(
      '![p](https://x.org/o/n/raw/HEAD/docs/p.png) [a](https://x.org/o/n/blob/HEAD/docs/a.md#b) [c](#here) ' +
        '[d](https://x.org) `[e](f)` [![g](https://x.org/o/n/raw/HEAD/h.png)](https://x.org/o/n/blob/HEAD/i.md)',
    )
  })

  test('replace all relative links of the README', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const links = linksOf(absoluteLinks(readme, 'https://example.org/owner/name'))
    expect(links.filter((link) => !/^https:|^#/.test(link))).toEqual([])
  })
})
