// A vitest reporter that leaves counts and skip reasons for scripts/run.mjs; vitest's own JSON drops the reasons.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export default class TotalsReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    const folder = process.env.LITHOPS_TEST_REPORTS
    if (!folder) return
    const report = {
      package: path.basename(process.cwd()),
      folder: process.cwd(),
      passed: 0,
      failed: [],
      skipped: [],
    }
    for (const testModule of testModules) {
      const file = testModule.relativeModuleId
      for (const test of testModule.children.allTests()) {
        const result = test.result()
        const name = `${file} > ${test.fullName}`
        if (result.state === 'passed') report.passed += 1
        else if (result.state === 'skipped') report.skipped.push({ name, reason: result.note })
        else report.failed.push({ name, file, error: textOf(result.errors?.[0]) })
      }
      const [error] = testModule.errors()
      if (error) report.failed.push({ name: `${file} (the file itself)`, file, error: textOf(error) })
    }
    for (const error of unhandledErrors) report.failed.push({ name: 'unhandled error', error: textOf(error) })
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, `${report.package}-${process.pid}.json`), JSON.stringify(report))
  }
}

/** The message with where it came from, as far as it helps at the end of a long log. */
function textOf(error) {
  const text = error?.stack ?? error?.message ?? 'no error was given'
  const lines = text.split('\n').filter(line => !line.includes('node_modules'))
  return lines.slice(0, 12).join('\n')
}
