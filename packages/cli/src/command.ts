import { runCli } from './cli.ts'

// whoever reads the output has enough (`lithops storage list b | head`): that is no failure
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const written = (stream: NodeJS.WriteStream) =>
  new Promise<void>(resolve => stream.write('', () => resolve()))

const exitCode = await runCli(process.argv.slice(2))
await Promise.all([process.stdout, process.stderr].map(written))
// all is closed; connections that are kept for further requests would hold the process for a while
process.exit(exitCode)
