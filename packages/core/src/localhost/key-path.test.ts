import { expect, test } from 'vitest'
import { pathOfKey, segmentOfName } from './key-path.ts'

const keys = [
  'folder/file.txt', 'a', 'a/b', 'a.b', 'a.b/c', 'a/', '/a', '//', 'a//b', '..', '../../etc/passwd', '.', './x.txt',
  'con', 'CON.txt', 'nul/x', 'a:b', 'a%b', 'a%2Fb', 'a+b c', 'end.', 'end /x', 'tab\tnew\nline', 'ü/😀.txt', 'u\u0308',
  'A', '%tmp', '%_', 'x%', 'x%+', 'q?*<>|"\\', `${'long'.repeat(200)}/x`, `${'😀'.repeat(100)}.txt`,
  `${'a'.repeat(200)}con`, 'x'.repeat(200), 'x'.repeat(201), `${'x'.repeat(200)}.y`, ':'.repeat(200),
] // biome-ignore format: one table

for (const foldsNames of [false, true]) {
  test(`every key has a path of its own that reads back (foldsNames ${foldsNames})`, () => {
    const paths = new Set<string>()
    for (const key of keys) {
      const names = pathOfKey(key, { foldsNames })
      let text = ''
      names.forEach((name, i) => {
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
        expect(name).not.toMatch(/^\.{0,2}$|[<>:"|?*\\/\n\t]|[. ]$/)
        const read = segmentOfName(name, i < names.length - 1)
        expect(read, `${key} at ${name}`).toBeDefined()
        text += read!.segment + (read!.continued || i === names.length - 1 ? '' : '/')
      })
      expect(text).toBe(key)
      const path = names.join('/')
      paths.add(foldsNames ? path.toLowerCase() : path)
    }
    expect(paths.size).toBe(keys.length)
  })
}

test('a usual key is its own path', () => {
  expect(pathOfKey('photos/2026/a b.jpg', { foldsNames: false }).join('/')).toBe('photos/2026/a b.jpg')
})

test('no file has the name of a folder', () => {
  const files = new Set(keys.map(key => pathOfKey(key).join('/')))
  for (const key of keys) {
    const names = pathOfKey(key)
    for (let n = 1; n < names.length; n++) expect(files).not.toContain(names.slice(0, n).join('/'))
  }
})
