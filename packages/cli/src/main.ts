import { runCli } from './cli.ts'

// whoever reads the output has enough (`lithops storage list b | head`): that is no failure
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

process.exitCode = await runCli(process.argv.slice(2))
