// A vitest reporter that leaves counts and skip reasons for scripts/run.mjs; vitest's own JSON drops the reasons.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export default class TotalsReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    const folder = process.env.LITHOPS_TEST_REPORTS
    if (!folder) return
    const report = { package: path.basename(process.cwd()), passed: 0, failed: [], skipped: [] }
    for (const testModule of testModules) {
      const file = testModule.relativeModuleId
      for (const test of testModule.children.allTests()) {
        const result = test.result()
        const name = `${file} > ${test.fullName}`
        if (result.state === 'passed') report.passed += 1
        else if (result.state === 'skipped') report.skipped.push({ name, reason: result.note })
        else report.failed.push(name)
      }
      if (testModule.errors().length > 0) report.failed.push(`${file} (the file itself)`)
    }
    for (const error of unhandledErrors) report.failed.push(`unhandled error: ${error.message}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, `${report.package}-${process.pid}.json`), JSON.stringify(report))
  }
}
