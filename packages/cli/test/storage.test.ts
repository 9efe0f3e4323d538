import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lithops-cli-storage-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const environment = () => ({ PATH: process.env.PATH, HOME: folder, USER: 'anna', TMPDIR: folder })

/** Runs `lithops storage …` in a folder of the test's own. */
function storage(args: readonly string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'storage', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: environment(),
    input: input ?? '',
  })
  return { status, stdout, stderr }
}

function put(key: string, text = 'text'): void {
  expect(storage(['put', '-', 'storage', '--key', key], text)).toMatchObject({ status: 0 })
}

/** Keys in the default bucket. */
function keys(): string[] {
  const { stdout } = storage(['list', 'storage', '--json'])
  return (JSON.parse(stdout) as { objects: { key: string }[] }).objects.map(object => object.key)
}

describe('lithops storage', () => {
  test('puts a file, lists it and gets it', () => {
    const bytes = Buffer.alloc(9_000_000, 'abcdefg')
    writeFileSync(join(folder, 'big.bin'), bytes)
    expect(storage(['put', 'big.bin', 'storage'])).toMatchObject({
      status: 0,
      stdout: 'big.bin is in bucket storage: 8.6 MiB.\n',
      stderr: '',
    })
    const listed = storage(['list', 'storage', '--prefix', 'bi'])
    expect(listed.stdout).toMatch(/^ {7}9000000 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}big\.bin\n$/)
    expect(listed.stderr).toBe('1 object, 8.6 MiB.\n')
    const got = storage(['get', 'storage', 'big.bin', '--out', 'sub/there.bin', '--json'])
    expect(JSON.parse(got.stdout)).toEqual({
      ok: true,
      bucket: 'storage',
      key: 'big.bin',
      file: 'sub/there.bin',
      sizeBytes: 9_000_000,
    })
    expect(Buffer.compare(readFileSync(join(folder, 'sub', 'there.bin')), bytes)).toBe(0)
    expect(readdirSync(join(folder, 'sub'))).toEqual(['there.bin'])
  })

  test('reads standard input and writes standard output', () => {
    put('a b/ü+%41', 'grüße\n')
    expect(storage(['get', 'storage', 'a b/ü+%41', '-o', '-'])).toEqual({
      status: 0,
      stdout: 'grüße\n',
      stderr: '',
    })
    expect(storage(['put', '-', 'storage'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--key/),
    })
    expect(storage(['get', 'storage', 'a b/ü+%41', '-o', '-', '--json'])).toMatchObject({ status: 2 })
  })

  test('a key cannot move the cursor of a terminal', () => {
    put('evil\u001b[2J\nkey')
    const { stdout } = storage(['list', 'storage'])
    expect(stdout).toContain('"evil\\u001b[2J\\nkey"')
    expect(stdout.trim().split('\n')).toHaveLength(1)
  })

  test('deletes keys, and below a prefix only when it is meant', () => {
    for (const key of ['a/1', 'a/2', 'ab', 'b', 'c']) put(key)
    expect(storage(['delete', 'storage', 'b', 'c', '--dry-run'])).toMatchObject({
      status: 0,
      stdout: 'b\nc\n2 objects would be removed.\n',
    })
    expect(storage(['delete', 'storage', 'b', 'c', 'never was']).status).toBe(0)
    expect(keys()).toEqual(['a/1', 'a/2', 'ab'])
    expect(storage(['delete', 'storage', '--prefix', 'a/', '--dry-run']).stdout).toBe(
      'a/1\na/2\n2 objects would be removed.\n',
    )
    const unasked = storage(['delete', 'storage', '--prefix', 'a/'])
    expect(unasked).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/all below 'a\/' in bucket 'storage'.*--force/s),
    })
    expect(keys()).toEqual(['a/1', 'a/2', 'ab'])
    const removed = storage(['delete', 'storage', '--prefix', 'a/', '--force', '--json'])
    expect(JSON.parse(removed.stdout)).toMatchObject({ ok: true, count: 2, removed: ['a/1', 'a/2'] })
    expect(keys()).toEqual(['ab'])
    for (const args of [
      ['delete', 'storage'],
      ['delete', 'storage', 'k', '-p', 'x'],
      ['delete', 'storage', '-p', ''],
    ])
      expect(storage(args).status).toBe(2)
    expect(keys()).toEqual(['ab'])
  })

  test('empties a bucket only when it is meant', () => {
    for (const key of ['one', 'two']) put(key)
    expect(storage(['empty', 'storage'])).toMatchObject({ status: 2, stdout: '' })
    expect(storage(['empty', 'storage', '--dry-run']).stdout).toBe('one\ntwo\n2 objects would be removed.\n')
    expect(keys()).toEqual(['one', 'two'])
    expect(storage(['empty', 'storage', '-f'])).toMatchObject({ status: 0, stdout: '2 objects removed.\n' })
    expect(keys()).toEqual([])
  })

  test('says what is missing', () => {
    const missing = storage(['get', 'storage', 'none', '--json'])
    expect(missing.status).toBe(1)
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: 'LITHOPS_OBJECT_NOT_FOUND' } })
    expect(existsSync(join(folder, 'none'))).toBe(false)
    expect(storage(['list', 'nowhere'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/no bucket 'nowhere'/),
    })
    expect(storage(['empty', 'nowhere', '-f'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/no bucket 'nowhere'/),
    })
    expect(storage(['put', 'none', 'storage'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/ENOENT.*none/),
    })
    expect(storage(['get', 'storage'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/missing required argument 'key'/),
    })
    for (const flag of ['-b', '-s']) {
      expect(storage(['list', 'b', flag, 'aws_s3'])).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/npm i @lithops\/storage-aws-s3/),
      })
    }
  })

  test('a reader that has enough is no failure', () => {
    for (const key of ['1', '2']) put(key)
    const { status, stderr } = spawnSync('sh', ['-c', `"$NODE" "$MAIN" storage list storage | head -n 0`], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...environment(), NODE: process.execPath, MAIN },
    })
    expect(status).toBe(0)
    expect(stderr).not.toMatch(/EPIPE/)
  })

  test('Ctrl+C leaves nothing half-made', async () => {
    const child = spawn(process.execPath, [MAIN, 'storage', 'put', '-', 'storage', '-k', 'half'], {
      cwd: folder,
      env: environment(),
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    const drafts = join(folder, 'lithops-anna', 'storage', '%tmp')
    child.stdin.write(Buffer.alloc(100_000))
    const hasBegun = () =>
      existsSync(drafts) && readdirSync(drafts).some(name => statSync(join(drafts, name)).size > 0)
    while (!hasBegun()) await new Promise(resolve => setTimeout(resolve, 20))
    const ended = new Promise(resolve => child.once('exit', resolve))
    // the input is not ended: the command must not wait for it
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(readdirSync(drafts)).toEqual([])
    expect(keys()).toEqual([])
  })

  test('clean removes what jobs left, and nothing else', () => {
    for (const key of ['lithops.jobs/dead-0/M000/data/1', 'lithops.cloudobjects/kept', 'mine']) put(key)
    const clean = (...args: string[]) =>
      spawnSync(process.execPath, [MAIN, 'clean', ...args], {
        cwd: folder,
        encoding: 'utf8',
        env: environment(),
      }).stdout
    expect(clean('--dry-run')).toContain('lithops.jobs/dead-0/M000/data/1\n1 would be removed.')
    expect(keys()).toHaveLength(3)
    expect(clean()).toContain('1 removed.')
    expect(keys()).toEqual(['lithops.cloudobjects/kept', 'mine'])
  })
})
