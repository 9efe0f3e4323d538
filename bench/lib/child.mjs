// child.mjs CASE CONTENDER OPTIONS OUTPUT: one contender of one case in this fresh process.
import { writeFileSync } from 'node:fs'

const [caseName, contenderName, options, output] = process.argv.slice(2)
let answer
try {
  const { benchCase } = await import(`../cases/${caseName}.mjs`)
  const contender = benchCase.contenders.find(({ name }) => name === contenderName)
  answer = {
    samples: await contender.run(JSON.parse(options)),
    maxRssMiB: process.resourceUsage().maxRSS / 1024,
  }
} catch (error) {
  answer =
    error.name === 'NotBuiltError' ? { missing: error.message } : { error: String(error.stack ?? error) }
}
writeFileSync(output, JSON.stringify(answer))
// Some peers keep timers after their cleanup.
process.exit(0)
