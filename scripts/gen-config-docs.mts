// Writes docs/configuration.md from the schemas of the sections that core owns, and into the READMEs of drivers the
// tables of theirs. A README with such a table is the page of its driver too: it is written to docs/<kind>/.
//   tsx scripts/gen-config-docs.mts [--check]

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import {
  KNOWN_SECTIONS,
  lithopsSection,
  localhostSection,
  serverlessSection,
} from '../packages/core/src/config/lithops-section.ts'
import type { ConfigFieldInfo } from '../packages/core/src/driver/config-section.ts'

const page = new URL('../docs/configuration.md', import.meta.url)

function row({ key, type, default: value, env, doc }: ConfigFieldInfo): string {
  const cells = [
    `\`${key}\``,
    type,
    value === undefined ? '' : `\`${String(value)}\``,
    env === undefined ? '' : `\`${env}\``,
    doc,
  ]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function table(fields: readonly ConfigFieldInfo[]): string {
  const used = fields.filter(field => field.ignored !== true)
  const ignored = fields.filter(field => field.ignored === true)
  const rows = [
    '| Key | Type | Default | Environment | Meaning |',
    '| --- | --- | --- | --- | --- |',
    ...used.map(row),
  ]
  const rest = ignored.map(({ key, doc }) => `\`${key}\` (${doc})`).join(', ')
  return `${rows.join('\n')}\n${rest === '' ? '' : `\nAccepted from Lithops (Python) without a meaning here: ${rest}.\n`}`
}

const text = `<!-- Written by scripts/gen-config-docs.mts. -->
# Configuration

With no config at all, functions run on this machine. A config names a backend, and what belongs to it:

\`\`\`yaml
lithops:
    backend: localhost
    execution_timeout: 600

localhost:
    worker_processes: 4
\`\`\`

## Where it is looked for

The first of these that there is, as in Lithops (Python):

1. what the program gives: \`new FunctionExecutor({ config: { lithops: { … } } })\` or \`{ configFile: 'path' }\`
2. the environment variable \`LITHOPS_CONFIG\`: the config itself, as JSON or YAML
3. the environment variable \`LITHOPS_CONFIG_FILE\`: a path
4. \`.lithops_config\` in the working directory
5. \`~/.lithops/config\`
6. \`/etc/lithops/config\`

A value is taken from the options of a call, else those of the executor, else the environment variable of its key, else
the file, else its default. Everything is checked before anything is started; an error names key, file and line, what was
expected, and the nearest key that there is.

## Section \`lithops\`

${table(lithopsSection.fields)}
## Section \`localhost\`

${table(localhostSection.fields)}
## Section \`serverless\`

${table(serverlessSection.fields)}
See [customized runtimes](customized-runtimes.md) for what the keys about functions are for.

## Sections of other backends

A backend, storage or monitor brings the schema of its own section; see the README of its package. Sections of those that
are not chosen are not looked at, so that one file can serve Lithops for Python as well. Known sections: ${KNOWN_SECTIONS.map(name => `\`${name}\``).join(', ')}.

## Names

\`backend: foo_bar\` means the package \`@lithops/backend-foo-bar\`, else \`lithops-backend-foo-bar\`, else
\`@anyone/lithops-backend-foo-bar\` among the dependencies of your project. A path, or the full name of a package, is taken
as it is. The same goes for \`storage\` and \`monitoring\`. Packages are resolved from the folder of your program.
`

interface DriverModule {
  readonly [kind: string]: { readonly config?: { readonly fields: readonly ConfigFieldInfo[] } } | undefined
}

const MARKED = /(<!-- config: ([a-z0-9-]+) -->\n)[\s\S]*?(<!-- \/config -->)/

/** READMEs with a table, by path, and the pages that are made of them. */
async function driverPages(): Promise<Map<URL, string>> {
  const pages = new Map<URL, string>()
  const packages = new URL('../packages/', import.meta.url)
  for (const name of readdirSync(packages)) {
    const kind = /^(backend|storage|monitor)-/.exec(name)?.[1]
    const readme = new URL(`${name}/README.md`, packages)
    const old = kind === undefined || !existsSync(readme) ? '' : readFileSync(readme, 'utf8')
    if (kind === undefined || !MARKED.test(old)) continue
    const module = (await import(new URL(`${name}/src/index.ts`, packages).href)) as DriverModule
    const fields = module[kind]?.config?.fields ?? []
    const text = old.replace(MARKED, (_, begin, _name, end) => `${begin}${table(fields)}${end}`)
    pages.set(readme, text)
    const from = `<!-- Written by scripts/gen-config-docs.mts from packages/${name}/README.md. -->\n`
    pages.set(new URL(`../docs/${kind}/${name.slice(kind.length + 1)}.md`, import.meta.url), from + text)
  }
  return pages
}

for (const [file, fresh] of [[page, text] as const, ...(await driverPages())]) {
  const old = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  if (old === fresh) continue
  if (process.argv.includes('--check')) {
    console.error(`${file.pathname} is not up to date: run \`pnpm config-docs\` and commit it`)
    process.exitCode = 1
  } else {
    mkdirSync(new URL('.', file), { recursive: true })
    writeFileSync(file, fresh)
  }
}
