import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(name => name !== '' && existsSync(path.join(root, name)))

/** The text of a page without its code: what looks like a link in there is none. */
const prose = text => text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '')

/** Targets of the links of a page that lead into the repository. */
function linksOf(page) {
  const text = prose(readFileSync(path.join(root, page), 'utf8'))
  return [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)[^)]*\)/g)]
    .map(match => match[1])
    .filter(target => !/^[a-z]+:/i.test(target))
}

/** Anchors of the headings of a page, as code hosts make them. */
function anchorsOf(file) {
  const lines = readFileSync(file, 'utf8')
    .replace(/```[\s\S]*?```/g, '')
    .split('\n')
  return lines
    .filter(line => /^#{1,6} /.test(line))
    .map(line =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    )
}

/** What is wrong with a link; undefined when it leads somewhere. */
function problemOf(page, target) {
  const [name, anchor] = target.split('#')
  const file = name === '' ? path.join(root, page) : path.resolve(root, path.dirname(page), decodeURI(name))
  if (path.relative(root, file).startsWith('..')) return 'leads out of the repository'
  if (!existsSync(file)) return 'leads to no file'
  if (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor))
    return 'has no such heading'
  return undefined
}

describe('links of the documentation', () => {
  test.each(pages)('%s', page => {
    const problems = linksOf(page).flatMap(target => {
      const problem = problemOf(page, target)
      return problem === undefined ? [] : [`${target} ${problem}`]
    })
    expect(problems).toEqual([])
  })

  test('there are some, and broken ones are found', () => {
    expect(pages.flatMap(linksOf).length).toBeGreaterThan(10)
    expect(problemOf('README.md', 'docs/none.md')).toBe('leads to no file')
    expect(problemOf('README.md', 'docs/concepts.md#none')).toBe('has no such heading')
    expect(problemOf('docs/concepts.md', '../../x.md')).toBe('leads out of the repository')
    expect(problemOf('README.md', 'docs/concepts.md')).toBeUndefined()
  })
})

/** Shows a driver of somebody else's, which needs a package that the snippets' folder does not depend on. */
const WITHOUT_SNIPPET = 'packages/s3-family/README.md'

function isPrivate(page) {
  const manifest = path.join(root, path.dirname(page), 'package.json')
  return (
    page.startsWith('packages/') &&
    existsSync(manifest) &&
    JSON.parse(readFileSync(manifest, 'utf8')).private === true
  )
}

describe('code in the documentation comes from files that compile', () => {
  // pages for users: a private package's are for those who read its source, and reports of the API are written by a tool
  const forUsers = pages.filter(
    page =>
      !page.includes('CHANGELOG') &&
      !page.startsWith('docs/public-api/') &&
      !isPrivate(page) &&
      page !== WITHOUT_SNIPPET,
  )
  test.each(forUsers)('%s', page => {
    const text = readFileSync(path.join(root, page), 'utf8')
    const blocks = [...text.matchAll(/(.*)\n```(?:ts|js|typescript|javascript)\n/g)]
    expect(blocks.filter(([, before]) => !before.startsWith('<!-- snippet: ')).length).toBe(0)
  })
})

test('the documentation names no place of a machine of ours', () => {
  const found = pages.filter(page =>
    /\/(home|Users|work|root)\/[a-z]/.test(readFileSync(path.join(root, page), 'utf8')),
  )
  expect(found).toEqual([])
})
