import PQueue from 'p-limit'
const load = (language: string) => import(`./locales/${language}.ts`)
// made again on the worker: what its initializer imports is found from here all the same
const limit = PQueue({ concurrency: 1 } as any)
const refuses = (pattern: RegExp) => (e: any) => { if (e.code !== 'ERR_MODULE_NOT_FOUND' || !pattern.test(e.message)) throw e }
export const cases = [
  { name: 'a template', fn: async (l: string) => (await import(`./locales/${l}.ts`)).hello, args: ['de'], expected: 'hallo' },
  { name: 'a template in a captured function', fn: async () => [(await load('en')).hello, (await load('de')).hello], expected: ['hello', 'hallo'] },
  { name: 'put together', fn: async (l: string) => (await import('./' + 'locales' + '/' + l + '.json')).default.hello, args: ['it'], expected: 'ciao' },
  { name: 'two gaps', fn: async (l: string, e: string) => (await import(`./locales/${l}.${e}`)).hello, args: ['en', 'ts'], expected: 'hello' },
  { name: 'a module of Node', fn: async (name: string) => (await import(name)).sep, args: ['node:path'], expected: '/' },
  { name: 'a module of Node, by a template', fn: async (name: string) => (await import(`node:${name}`)).sep, args: ['path'], expected: '/' },
  { name: 'what does not exist', fn: async (l: string) => import(`./locales/${l}.ts`), args: ['fr'], throws: refuses(/\.\/locales\/fr\.ts.*computed.*includeModules/) },
  { name: 'what nothing is known of', fn: async (name: string) => import(name), args: ['./locales/en.ts'], throws: refuses(/computed.*includeModules/) },
  { name: 'beside a package', fn: async () => limit(async () => (await load('de')).hello), expected: 'hallo', mayWarn: true },
]
