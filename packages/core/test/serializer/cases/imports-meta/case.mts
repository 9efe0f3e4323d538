import { fileURLToPath } from 'node:url'
import { whereAmI } from './where.mts'
const here = fileURLToPath(import.meta.url)
export const cases = [
  { name: 'import.meta.url', fn: () => import.meta.url, expected: import.meta.url },
  { name: 'computed before', fn: () => here.endsWith('case.mts'), expected: true },
  { name: 'of an imported module', fn: () => whereAmI(), check: (url: string) => { if (!url.endsWith('imports-meta/where.mts')) throw new Error(url) } },
]
