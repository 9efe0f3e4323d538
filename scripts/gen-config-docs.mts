// Writes docs/configuration.md from the schemas of the sections that core owns.
//   tsx scripts/gen-config-docs.mts [--check]

import { readFileSync, writeFileSync } from 'node:fs'
import {
  KNOWN_SECTIONS,
  lithopsSection,
  localhostSection,
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
## Sections of other backends

A backend, storage or monitor brings the schema of its own section; see the README of its package. Sections of those that
are not chosen are not looked at, so that one file can serve Lithops for Python as well. Known sections: ${KNOWN_SECTIONS.map(name => `\`${name}\``).join(', ')}.

## Names

\`backend: foo_bar\` means the package \`@lithops/backend-foo-bar\`, else \`lithops-backend-foo-bar\`, else
\`@anyone/lithops-backend-foo-bar\` among the dependencies of your project. A path, or the full name of a package, is taken
as it is. The same goes for \`storage\` and \`monitoring\`. Packages are resolved from the folder of your program.
`

if (process.argv.includes('--check')) {
  if (readFileSync(page, 'utf8') !== text) {
    console.error('docs/configuration.md is not up to date: run `pnpm config-docs` and commit it')
    process.exitCode = 1
  }
} else writeFileSync(page, text)
