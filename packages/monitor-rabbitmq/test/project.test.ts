import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { expect } from 'vitest'

const server = withRealPart(rabbitmq)
const packageFolder = path.dirname(import.meta.dirname)

const PROGRAM = `
  import { FunctionExecutor } from '@lithops/core'
  const fexec = new FunctionExecutor()
  const values = await fexec.getResult(fexec.map(x => x * 2, [1, 2, 3]))
  let stored
  try {
    await fexec.callAsync((key, context) => context.storage.getObject('bucket', key), 'key').result()
  } catch (error) {
    stored = error.code
  }
  console.log(JSON.stringify({ values, stored }))
  await fexec.close()`

for (const spelling of ['rabbitmq_monitor: True      # or: monitoring: rabbitmq', 'monitoring: rabbitmq']) {
  server.test(
    `the config file of a Lithops user, with ${spelling.split(' #')[0]?.trim()}, in a project with nothing but the packages`,
    async () => {
      const project = await mkdtemp(path.join(tmpdir(), 'lithops-rabbit-project-'))
      try {
        const scope = path.join(project, 'node_modules', '@lithops')
        await mkdir(scope, { recursive: true })
        await symlink(path.join(packageFolder, '..', 'core'), path.join(scope, 'core'))
        await symlink(packageFolder, path.join(scope, 'monitor-rabbitmq'))
        const { host, port } = server.part
        await writeFile(
          path.join(project, '.lithops_config'),
          [
            'lithops:',
            `    ${spelling}`,
            '    storage: storageless',
            'rabbitmq:',
            `    amqp_url: amqp://guest:guest@${host}:${port}/%2F`,
            '',
          ].join('\n'),
        )
        await writeFile(path.join(project, 'program.mjs'), PROGRAM)
        const { LITHOPS_CONFIG_FILE: _file, ...env } = process.env
        const options = { cwd: project, timeout: 60_000, env: { ...env, HOME: project } }
        const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], options)
        expect(JSON.parse(stdout.trim().split('\n').at(-1) as string)).toEqual({
          values: [2, 4, 6],
          stored: 'LITHOPS_STORAGELESS',
        })
        expect((await readdir(project)).filter(name => !name.startsWith('.')).toSorted()).toEqual([
          'node_modules',
          'program.mjs',
        ])
      } finally {
        await rm(project, { recursive: true })
      }
    },
    { timeout: 120_000 },
  )
}
