/** A value of an XML answer: text, members by name, or a list whose elements are named 'member'. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue }

export function xmlDocument(root: string, namespace: string, content: XmlValue): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${xml(content)}</${root}>\n`
}

function xml(value: XmlValue): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map(item => `<member>${xml(item)}</member>`).join('')
  if (typeof value !== 'object') return escape(String(value))
  return Object.entries(value)
    .filter(([, content]) => content !== undefined)
    .map(([name, content]) => `<${name}>${xml(content)}</${name}>`)
    .join('')
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
