// Code in the documentation comes from files that compile: a block after `<!-- snippet: path -->` holds the text of
// docs/snippets/<path>.
//   node scripts/snippets.mjs           writes the files' text into the pages
//   node scripts/snippets.mjs --check   fails when a page and its file differ

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const isCheck = process.argv.includes('--check')
const pages = [
  'README.md',
  'examples/backend-template/README.md',
  ...['packages', 'runtimes']
    .flatMap(folder => readdirSync(path.join(root, folder)).map(name => path.join(folder, name, 'README.md')))
    .filter(file => existsSync(path.join(root, file))),
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md') && !name.includes('node_modules') && !name.startsWith('public-api'))
    .map(name => path.join('docs', name)),
]
let snippets = 0
let failed = 0

for (const page of pages) {
  const file = path.join(root, page)
  const text = readFileSync(file, 'utf8')
  const fresh = text.replace(
    /(<!-- snippet: (\S+) -->\n```ts\n)([\s\S]*?)(```)/g,
    (_, head, name, _code, end) => {
      snippets++
      return head + readFileSync(path.join(root, 'docs', 'snippets', name), 'utf8') + end
    },
  )
  if (fresh === text) continue
  if (isCheck) {
    failed++
    console.error(`${page} differs from its snippets: run \`node scripts/snippets.mjs\` and commit it`)
  } else writeFileSync(file, fresh)
}
console.log(`${snippets} snippets in ${pages.length} pages, ${failed} pages differ`)
process.exitCode = failed === 0 && snippets > 0 ? 0 : 1
