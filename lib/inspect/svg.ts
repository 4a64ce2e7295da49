/** Text escaped for an XML 1.0 document, in an element or in a quoted attribute. */
export function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no place for these and for half surrogates
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu, '\ufffd')
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
  )
}

/** One element: attributes are escaped, numbers rounded to hundredths; `content` is SVG already (see {@link escapeXml} for text). */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content: string | readonly string[] = '',
): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escapeXml(typeof value === 'number' ? coordinate(value) : value)}"`)
    .join('')
  const inner = typeof content === 'string' ? content : content.join('')
  return inner === '' ? `<${name}${written}/>` : `<${name}${written}>${inner}</${name}>`
}

/** A length in pixels, to hundredths. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/** A standalone document on white; `title` is given to screen readers. */
export function document(width: number, height: number, title: string, content: readonly string[]): string {
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'font-family': 'sans-serif',
      'font-size': 12,
      fill: '#222222',
    },
    [
      title === '' ? '' : element('title', {}, escapeXml(title)),
      element('rect', { width, height, fill: '#ffffff' }),
      ...content,
    ],
  )}\n`
}

/** Text, centred by default; nothing for the empty text. */
export function words(text: string, attributes: Record<string, string | number>): string {
  return text === '' ? '' : element('text', { 'text-anchor': 'middle', ...attributes }, escapeXml(text))
}

/** The estimated width in pixels of the longest text in 12-pixel letters: SVG text cannot be measured without drawing it. */
export function textWidth(texts: readonly string[]): number {
  return 7 * texts.reduce((most, { length }) => Math.max(most, length), 0)
}
