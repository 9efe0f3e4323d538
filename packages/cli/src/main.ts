import { runCli } from './cli.ts'
import { handleInterrupts } from './interrupt.ts'

handleInterrupts()
process.exitCode = await runCli(process.argv.slice(2))
