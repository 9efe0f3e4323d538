import type { Command } from 'commander'
import type { GlobalOptions } from '../../global-options.ts'
import { deleteObjects } from './delete.ts'
import { emptyBucket } from './empty.ts'
import { getObject } from './get.ts'
import { listObjects } from './list.ts'
import { putObject } from './put.ts'

type Run<O> = (args: readonly string[], options: GlobalOptions & O) => Promise<boolean>

/** Adds `lithops storage …`. From: lithops/scripts/cli.py, whose arguments these are. */
export function addStorageCommands(program: Command, finished: (ok: boolean) => void): void {
  const storage = program
    .command('storage')
    .description('write, read, list and remove objects of the storage that -s, -b or the config names')
  const run =
    <O>(command: Run<O>) =>
    async (...given: unknown[]) => {
      const self = given.at(-1) as Command
      finished(await command(self.args, self.optsWithGlobals<GlobalOptions & O>()))
    }

  storage
    .command('put')
    .description('write a file as an object; - reads standard input')
    .argument('<file>')
    .argument('<bucket>')
    .option('-k, --key <key>', 'key of the object (default: the name of the file)')
    .option('--content-type <type>', 'media type of the object')
    .action(run(putObject))
  storage
    .command('get')
    .description('write an object into a file')
    .argument('<bucket>')
    .argument('<key>')
    .option('-o, --out <file>', 'the file; - writes to standard output (default: the last part of the key)')
    .action(run(getObject))
  storage
    .command('list')
    .description('print size, time and key of the objects of a bucket')
    .argument('<bucket>')
    .option('-p, --prefix <prefix>', 'only keys that begin with it', '')
    .action(run(listObjects))
  storage
    .command('delete')
    .description('remove objects by their keys, or all below a prefix')
    .argument('<bucket>')
    .argument('[keys...]')
    .option('-p, --prefix <prefix>', 'remove all objects whose keys begin with it')
    .option('--dry-run', 'only print what would be removed')
    .option('-f, --force', 'remove all below a prefix without asking')
    .action(run(deleteObjects))
  storage
    .command('empty')
    .description('remove all objects of a bucket')
    .argument('<bucket>')
    .option('--dry-run', 'only print what would be removed')
    .option('-f, --force', 'do not ask')
    .action(run(emptyBucket))
}
