import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  buildWorkerImage,
  byDigest,
  contentTag,
  digestOf,
  findImageTool,
  labelsOf,
  removeImage,
  tagsOf,
  WORKER_PATH,
} from '../src/index.ts'
import { guarded, missingTool, open, registry, testTool, toolNames, tools } from './tools.ts'

const platform = `linux/${process.arch === 'arm64' ? 'arm64' : 'amd64'}`
const worker = Buffer.from(
  `const fs = require('node:fs')
   process.once('SIGTERM', () => { console.log('told to end'); process.exit(0) })
   if (process.argv[2] === 'wait') setInterval(() => {}, 1000)
   console.log(JSON.stringify([process.getuid(), process.env.NODE_ENV, process.argv.slice(1), fs.readdirSync('/lithops')]))`,
)
const folder = mkdtempSync(path.join(tmpdir(), 'lithops-test-images-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const foldersOf = () => readdirSync(tmpdir()).filter(name => /^lithops-images?-/.test(name))

describe.each(toolNames)('%s', name => {
  const missing = missingTool(name)
  if (missing !== undefined) {
    test('builds images', context => context.skip(missing))
    return
  }

  testTool('builds a worker over a base, pushes it, and tells the digest that the registry has', async () => {
    // another test of the machine may be building as well
    vi.stubEnv('TMPDIR', folder)
    onTestFinished(() => void vi.unstubAllEnvs())
    await using tool = await open(name)
    const base = tools.part.nodeImage
    const tag = contentTag([base, worker, platform])
    const image = `${registry.part.host}/team/worker-${name}:${tag}`
    expect(await digestOf(image)).toBeUndefined()
    const files = { 'deep/er.txt': Buffer.from('x') }
    await buildWorkerImage(tool, { image, base, worker, files, platform, owner: 'me' })
    const digest = await tool.push(image)
    expect(await digestOf(image)).toBe(digest)
    expect(await labelsOf(image)).toMatchObject({ 'org.lithops.tag': tag, 'org.lithops.owner': 'me' })
    expect(await labelsOf(`${image}-never`)).toBeUndefined()
    expect(await digestOf(byDigest(image, digest))).toBe(digest)
    await tool.tag(image, `${image}-2`)
    await tool.remove(image)
    expect([await tool.has(image), await tool.has(`${image}-2`)]).toEqual([false, true])
    await tool.remove(`${image}-2`)
    await tool.remove(image)
    await tool.pull(byDigest(image, digest))
    const said = podman('run', '--rm', '--network=host', byDigest(image, digest), 'x')
    expect(JSON.parse(said)).toEqual([1000, 'production', [WORKER_PATH, 'x'], ['deep', 'worker.cjs']])
    await tool.close()
    expect(foldersOf()).toEqual([])
  })

  testTool('says what is wrong with a Dockerfile, in its own words', async () => {
    await using tool = await open(name)
    const dockerfile = path.join(folder, `broken-${name}`)
    writeFileSync(dockerfile, `FROM ${tools.part.nodeImage}\nCOPY no-such-file /\n`)
    const lines: string[] = []
    const onLine = (line: string) => lines.push(line)
    const build = { image: 'localhost/broken:1', dockerfile, context: folder, platform }
    await expect(tool.build({ ...build, onLine })).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      isRetryable: false,
      message: expect.stringMatching(/^Building the image localhost\/broken:1 failed: .*no-such-file/s),
    })
    expect(lines.join('\n')).toContain('no-such-file')
  })

  testTool('says that a base is not there, and that a registry cannot be reached', async () => {
    await using tool = await open(name)
    const { host } = registry.part
    const image = { image: 'localhost/x:1', worker, platform }
    await expect(buildWorkerImage(tool, { ...image, base: `${host}/none:1` })).rejects.toThrow(
      /There is no such image: check its name/,
    )
    await tool.tag(tools.part.nodeImage, '127.0.0.1:9/x:1')
    await expect(tool.push('127.0.0.1:9/x:1')).rejects.toThrow(/cannot be reached from this machine/)
    await expect(digestOf('127.0.0.1:9/x:1')).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      isRetryable: true,
      message: expect.stringContaining('127.0.0.1:9'),
    })
  })

  testTool('stops when nobody waits any more', async () => {
    await using tool = await open(name)
    const controller = new AbortController()
    const build = { base: tools.part.nodeImage, worker, platform, image: 'localhost/stopped:1' }
    const building = buildWorkerImage(tool, build, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(building).rejects.toThrow('enough')
  })
})

describe.each(['podman', 'buildah'] as const)('%s', name => {
  testTool('logs in with a password that only its input has, and forgets it', async () => {
    await using tool = await open(name)
    const { host, user, password } = guarded.part
    const image = `${host}/team/worker-${name}:1`
    await tool.tag(tools.part.nodeImage, image)
    await expect(tool.push(image)).rejects.toThrow(/Check the user, the password/)
    await expect(tool.login({ server: host, user, password: 'other' })).rejects.toMatchObject({
      message: expect.stringMatching(/^Logging in to .* as pusher failed/),
    })
    const login = { server: host, user, password }
    await tool.login(login)
    const digest = await tool.push(image)
    expect(await digestOf(image, { login })).toBe(digest)
    await expect(digestOf(image)).rejects.toThrow(/nobody is logged in/)
    const repository = `${host}/team/worker-${name}`
    expect(await tagsOf(repository, { login })).toEqual(['1'])
    await expect(removeImage(byDigest(image, digest))).rejects.toThrow(/they may remove images there/)
    await removeImage(byDigest(image, digest), { login })
    await removeImage(byDigest(image, digest), { login })
    expect([await digestOf(image, { login }), await tagsOf(repository, { login })]).toEqual([undefined, []])
    await tool.close()
    await expect(tool.push(image)).rejects.toThrow(/Check the user, the password/)
  })
})

testTool('a worker is told to end, and ends by itself', async () => {
  await using tool = await open('podman')
  const image = 'localhost/told:1'
  await buildWorkerImage(tool, { image, base: tools.part.nodeImage, worker, platform })
  podman('run', '--detach', '--name=told', '--network=host', image, 'wait')
  await expect.poll(() => podman('logs', 'told'), { timeout: 20_000 }).toContain(WORKER_PATH)
  podman('stop', '--time=20', 'told')
  expect(podman('logs', 'told')).toContain('told to end')
  expect(podman('inspect', '--format={{.State.ExitCode}}', 'told').trim()).toBe('0')
})

test('docker gets a password on its input, and a folder of its own for it', async () => {
  // a daemon that takes logins over plain HTTP cannot be had: what docker is called with is looked at
  const program = path.join(folder, 'docker')
  const log = path.join(folder, 'docker.log')
  const script = `#!/bin/sh
case "$1" in
  version) echo 28.2.2;;
  context) echo unix:///the/context.sock;;
  login) { echo "$@"; cat; echo; echo "$DOCKER_CONFIG $DOCKER_HOST"; } > ${log};;
  push) echo "1: digest: sha256:${'a'.repeat(64)} size: 1"; echo "push $DOCKER_CONFIG" >> ${log};;
esac`
  writeFileSync(program, script, { mode: 0o755 })
  const { DOCKER_HOST } = process.env
  delete process.env.DOCKER_HOST
  try {
    await using tool = await findImageTool({ tool: program })
    await tool.login({ server: 'registry.example', user: 'me', password: 'very-secret' })
    expect(await tool.push('registry.example/x:1')).toBe(`sha256:${'a'.repeat(64)}`)
    const [args, input, place, push] = readFileSync(log, 'utf8').split('\n')
    expect(args).toBe('login --username=me --password-stdin registry.example')
    expect(input).toBe('very-secret')
    expect(place).toMatch(/lithops-images-\w+ unix:\/\/\/the\/context\.sock$/)
    expect(push).toBe(`push ${place?.split(' ')[0]}`)
  } finally {
    if (DOCKER_HOST !== undefined) process.env.DOCKER_HOST = DOCKER_HOST
  }
})

test('what cannot build is said for each tool, and what to do', async () => {
  const { PATH } = process.env
  process.env.PATH = folder
  try {
    rmSync(path.join(folder, 'docker'), { force: true })
    writeFileSync(path.join(folder, 'podman'), '#!/bin/sh\necho "no machine is running" >&2\nexit 125', {
      mode: 0o755,
    })
    await expect(findImageTool()).rejects.toMatchObject({
      code: 'LITHOPS_RUNTIME_BUILD',
      message: expect.stringMatching(
        /docker: not installed; podman: no machine is running; buildah: not installed\. Install docker, podman or buildah/,
      ),
    })
    await expect(findImageTool({ tool: 'buildah' })).rejects.toThrow(/leave container_tool out/)
    await expect(findImageTool({ tool: 'kaniko' })).rejects.toMatchObject({ code: 'LITHOPS_CONFIG' })
  } finally {
    process.env.PATH = PATH
  }
})

function podman(...args: string[]): string {
  const env = { ...process.env, ...tools.part.env }
  return execFileSync(tools.part.podman, args, { env, encoding: 'utf8' })
}
