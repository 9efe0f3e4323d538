import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FunctionExecutor } from '@lithops/core'
import { rabbitmq, withRealPart } from '@lithops/fake-clouds/real-parts'
import { afterAll, expect } from 'vitest'

const server = withRealPart(rabbitmq)
const timeout = 120_000
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-rabbit-permissions-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** As in the README: configure, write, read. */
const ENOUGH = ['^lithops-.*', '^amq\\.default$', '^lithops-.*'] as const
const NOTHING = '^$'

/** A user of that name who may do so much in the vhost. Gives the executor's config. */
async function userWith(name: string, vhost: string, permissions: readonly string[] | undefined) {
  const { control, host, port } = server.part
  await control('add_user', name, 'a secret')
  if (permissions !== undefined) await control('set_permissions', '-p', vhost, name, ...permissions)
  return {
    lithops: { backend: 'localhost', storage: 'storageless', monitoring: 'rabbitmq' },
    localhost: { worker_processes: 2 },
    rabbitmq: { amqp_url: `amqp://${name}:a%20secret@${host}:${port}/${encodeURIComponent(vhost)}` },
  }
}

server.test(
  'the permissions of the README are enough, in a vhost with a slash in its name, and no queue is left',
  async () => {
    await server.part.control('add_vhost', 'team/one')
    const config = await userWith('lean', 'team/one', ENOUGH)
    {
      await using fexec = new FunctionExecutor({ config })
      const futures = fexec.map((n: number) => 'x'.repeat(n), [1, 2_500_000, 3])
      expect((await fexec.getResult(futures)).map(text => text.length)).toEqual([1, 2_500_000, 3])
      expect(await server.part.control('list_queues', '-p', 'team/one', 'name')).toContain(fexec.executorId)
    }
    expect(await server.part.control('list_queues', '-p', 'team/one', 'name')).not.toContain('lithops-')
  },
  { timeout },
)

server.test(
  'a permission that is missing is named before any call runs',
  async () => {
    for (const [i, permission] of ['configure', 'write', 'read'].entries()) {
      const permissions = ENOUGH.map((enough, k) => (k === i ? NOTHING : enough))
      const config = await userWith(`no-${permission}`, '/', permissions)
      await using fexec = new FunctionExecutor({ config })
      const file = path.join(folder, permission)
      const error = await fexec
        .callAsync<string, void, []>(async file => {
          const { writeFileSync } = await import('node:fs')
          writeFileSync(file, '')
        }, file)
        .result()
        .catch((error: Error) => error)
      expect(error).toMatchObject({ code: 'LITHOPS_MONITOR' })
      expect(String(error)).toContain(`lacks the permission '${permission}' for the `)
      expect(String(error)).toMatch(/rabbitmqctl set_permissions .*\^amq\\\.default\$.*refused for user/s)
      expect(String(error)).not.toContain('secret')
      expect(existsSync(file)).toBe(false)
    }
  },
  { timeout },
)

server.test(
  'a user who may not use the vhost at all is told so',
  async () => {
    await using fexec = new FunctionExecutor({ config: await userWith('stranger', '/', undefined) })
    await expect(fexec.callAsync((x: number) => x, 1).result()).rejects.toMatchObject({
      code: 'LITHOPS_MONITOR',
      message: expect.stringContaining('Check the vhost in rabbitmq.amqp_url, and that the user may use it.'),
    })
  },
  { timeout },
)
