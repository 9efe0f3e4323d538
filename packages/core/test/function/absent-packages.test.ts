import { afterAll, beforeAll, expect, test } from 'vitest'
import { Programs } from './programs.ts'

let programs: Programs
beforeAll(async () => {
  programs = await Programs.build()
})
afterAll(() => programs.remove())

const driver = (name: string, text: string, type: string) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', main: 'index.js', type }),
  [`node_modules/${name}/index.js`]: text,
})

const PACKAGES = {
  ...driver(
    'late-import',
    "export const open = async name => (name === 'memory' ? name : (await import('not-installed')).default)\n",
    'module',
  ),
  ...driver(
    'late-require',
    "exports.open = name => (name === 'memory' ? name : require('not-installed/driver'))\n",
    'commonjs',
  ),
}

test('what a package loads late and is not installed fails where it is reached, as in the program', async () => {
  const directory = programs.folder({
    ...PACKAGES,
    'main.mjs': `
import { open as openLate } from 'late-import'
import required from 'late-require'
import { captureFunction, ship, stop } from 'LIBRARY'
const values = [
  await ship(name => openLate(name), 'memory'),
  await ship(name => required.open(name), 'memory'),
  await ship(name => openLate(name).catch(error => error.code), 'postgres'),
  await ship(name => { try { return required.open(name) } catch (error) { return error.code } }, 'postgres'),
]
console.log(JSON.stringify(values))
stop()
`,
  })
  expect(await programs.run(directory)).toEqual([
    'memory',
    'memory',
    'ERR_MODULE_NOT_FOUND',
    'MODULE_NOT_FOUND',
  ])
})

test('what the function itself imports, or a package needs from the start, must be there', async () => {
  const directory = programs.folder({
    ...driver('needy', "import x from 'not-installed'\nexport const y = x\n", 'module'),
    'main.mjs': `
import { captureFunction, stop } from 'LIBRARY'
const told = fn => captureFunction(fn).bundle().then(() => 'bundled', error => error.code)
console.log(JSON.stringify([
  await told(() => import('not-installed')),
  await told(() => import('needy')),
]))
stop()
`,
  })
  expect(await programs.run(directory)).toEqual(['LITHOPS_BUNDLE', 'LITHOPS_BUNDLE'])
})
