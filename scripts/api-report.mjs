// The public surface of each entry point as a file in git, so that a change of it is seen in review.
//   node scripts/api-report.mjs           writes docs/public-api/*.api.md
//   node scripts/api-report.mjs --check   fails when they are not up to date

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const reportFolder = path.join(root, 'docs', 'public-api')
const isCheck = process.argv.includes('--check')
mkdirSync(reportFolder, { recursive: true })
let failed = 0

for (const name of readdirSync(path.join(root, 'packages'))) {
  const folder = path.join(root, 'packages', name)
  const file = path.join(folder, 'package.json')
  if (!existsSync(file)) continue
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  if (manifest.private) continue
  for (const [entry, conditions] of Object.entries(manifest.exports)) {
    const types = conditions?.import?.types
    if (types === undefined) continue
    const suffix = entry === '.' ? '' : `.${entry.slice(2).replaceAll('/', '.')}`
    report(folder, file, path.join(folder, types), `${name}${suffix}.api.md`)
  }
}
console.log(
  failed === 0
    ? 'API reports are up to date'
    : `${failed} API reports differ: run \`pnpm api-report\` and commit them`,
)
process.exitCode = failed === 0 ? 0 : 1

function report(folder, packageJson, entry, reportFileName) {
  const config = ExtractorConfig.prepare({
    configObject: {
      mainEntryPointFilePath: entry,
      projectFolder: folder,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            module: 'nodenext',
            moduleResolution: 'nodenext',
            strict: true,
            skipLibCheck: true,
            types: ['node'],
            lib: ['es2024', 'esnext.disposable'],
          },
          files: [entry],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName,
        reportFolder,
        reportTempFolder: path.join(root, '.cache', 'api-report'),
      },
      newlineKind: 'lf',
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'none' } },
        extractorMessageReporting: { default: { logLevel: 'none' } },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: packageJson,
  })
  const result = Extractor.invoke(config, {
    localBuild: !isCheck,
    showVerboseMessages: false,
    messageCallback: message => {
      message.handled = true
    },
  })
  if (isCheck && result.apiReportChanged) {
    failed++
    console.error(`differs: docs/public-api/${reportFileName}`)
  }
}
