/** The links of Markdown texts. Pure: nothing here touches the machine. */

/** Code, in which nothing is a link, or a link or picture. */
const codeOrLink = /```[\s\S]*?```|`[^`]*`|(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g

/**
 * @param {string} text
 * @returns {string[]} the targets of its links and pictures, in order
 */
export function linksOf(text) {
  return [...text.matchAll(codeOrLink)].flatMap(([, , , target]) => target ?? [])
}

/**
 * The address of a page for each heading, as hosts of repositories make them.
 * @param {string} text
 * @returns {Set<string>}
 */
export function anchorsOf(text) {
  const headings = text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ +(.+?) *$/gm)
  /** @type {Set<string>} */
  const anchors = new Set()
  for (const [, heading = ''] of headings) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-')
    let unique = anchor
    for (let i = 1; anchors.has(unique); i++) unique = `${anchor}-${i}`
    anchors.add(unique)
  }
  return anchors
}

/**
 * The web page of a repository, from the `repository` of package.json.
 * @param {string | { url?: string } | undefined} repository
 * @returns {string | undefined} without a slash at its end; undefined if there is none
 */
export function repositoryPage(repository) {
  const named = typeof repository === 'string' ? repository : repository?.url
  if (!named) return undefined
  const short = /^(?:github:)?([\w.-]+\/[\w.-]+)$/.exec(named)
  const url = short ? `https://github.com/${short[1]}` : named
  return url
    .replace(/^git\+/, '')
    .replace(/^(?:ssh:\/\/)?git@([^:/]+)[:/]/, 'https://$1/')
    .replace(/^git:/, 'https:')
    .replace(/\/?(?:\.git)?\/?$/, '')
}

/**
 * Makes the relative links of a text absolute: files as the repository shows them, pictures as they are.
 * @param {string} text @param {string} page of the repository
 * @returns {string}
 */
export function absoluteLinks(text, page) {
  return text.replaceAll(codeOrLink, (whole, picture, label, target) => {
    if (target === undefined || /^[a-z][a-z\d+.-]*:|^#/i.test(target)) return whole
    const inside = picture ? label : absoluteLinks(label, page)
    return `${picture}[${inside}](${page}/${picture ? 'raw' : 'blob'}/HEAD/${target})`
  })
}
