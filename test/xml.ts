/** One element of an XML document, with the text directly within it, still escaped. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  text: string
}

/**
 * All elements of a document in their order of opening; throws unless it is well-formed: one root, every tag closed in order, attributes quoted
 * and given once, no bare `<` or `&`, no character that XML 1.0 forbids. Knows elements and text only: no comments, no CDATA.
 */
export function elementsOf(document: string): XmlElement[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/u.test(document)) {
    throw new Error('a character that XML forbids')
  }
  const elements: XmlElement[] = []
  const open: XmlElement[] = []
  let at = 0
  for (const match of document
    .trim()
    .matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const [whole, closing, name, attributes, alone] = match as unknown as [
      string,
      string,
      string,
      string,
      string,
    ]
    addText(open.at(-1), document.slice(at, match.index))
    at = match.index + whole.length
    if (closing === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes another element`)
      continue
    }
    if (open.length === 0 && elements.length > 0) throw new Error(`<${name}> is a second root`)
    const element: XmlElement = { name, attributes: attributesOf(attributes), text: '' }
    elements.push(element)
    if (alone === '') open.push(element)
  }
  addText(open.at(-1), document.slice(at).trim())
  if (open.length > 0) throw new Error(`<${open.at(-1)!.name}> is never closed`)
  return elements
}

/** Text as it was before it was escaped. */
export function unescapeXml(text: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return text.replace(/&(amp|lt|gt|quot);/g, (_, name: string) => entities[name]!)
}

function attributesOf(written: string): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [, key, value] of written.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    if (key! in attributes) throw new Error(`${key} is given twice`)
    checkEntities(value!)
    attributes[key!] = value!
  }
  return attributes
}

function addText(element: XmlElement | undefined, text: string): void {
  if (text === '') return
  if (element === undefined || text.includes('<')) throw new Error(`text where none may be: ${text}`)
  checkEntities(text)
  element.text += text
}

function checkEntities(text: string): void {
  if (/&(?!(amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/i.test(text)) throw new Error(`a bare & in ${text}`)
}
