// Runs the repository's commands in a fresh clone with nothing but Node and npm on the machine: brings the pinned
// pnpm, installs what the lockfile says, builds what changed, and runs one of TARGETS below.
//
//   node scripts/run.mjs demo|test|test:slow|build [arguments for the target]
//   node scripts/run.mjs exec <pnpm arguments>

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const reportDir = path.join(root, '.cache', 'test-reports')
const reporter = path.join(root, 'scripts', 'test-reporter.mjs')

/** A skip whose reason begins so fails the run under LITHOPS_REQUIRE_REAL_PARTS=1. */
const MISSING_PART = /^(missing )?real part/i

/** Files with failures that are run once more. */
const RERUN_AT_MOST = 3

const TARGETS = {
  demo: {
    build: true,
    run: args => node('node_modules/tsx/dist/cli.mjs', ['examples/word-count/main.ts', ...args]),
  },
  test: { build: true, run: args => runTests(['--exclude', '**/*.slow.test.ts', ...args]) },
  // Minutes long each, and some install servers: not in `npm test`, nor in CI.
  'test:slow': { build: true, run: args => runTests(['.slow.test.ts', ...args]) },
  build: { build: true, run: async () => 0 },
  // Only the tools are made ready; what runs is a script of the root's package.json.
  exec: { build: false, run: args => pnpm(args) },
}

/** An end that its message explains; no stack is shown. */
class Stop extends Error {
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

const [target = '', ...rest] = process.argv.slice(2)
let pnpmHome

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`\n${error instanceof Stop ? error.message : error.stack}`)
  process.exitCode = error.exitCode ?? 1
}

async function main() {
  checkNode()
  const plan = TARGETS[target]
  if (!Object.hasOwn(TARGETS, target)) {
    throw new Stop(
      `Unknown target "${target}". Known: ${Object.keys(TARGETS).join(', ')}. Example: npm run demo`,
    )
  }
  pnpmHome = await ensurePnpm()
  await ensureInstalled()
  if (plan.build) await must(turbo(['build']), 'The build failed; its output is above.')
  return plan.run(rest)
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [wantedMajor, wantedMinor] = manifest.engines.node.match(/\d+/g).map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  throw new Stop(
    `Node ${process.versions.node} is too old: this repository needs Node ${manifest.engines.node}.\n` +
      'Install a newer Node, or run the same command by one from npm:\n' +
      `  npx --yes -p node@22 node scripts/run.mjs ${target}`,
  )
}

/** The folder whose bin runs the pnpm that `packageManager` pins; fetched by npm the first time. */
async function ensurePnpm() {
  const version = manifest.packageManager.split('@')[1].split('+')[0]
  const home = path.join(root, '.cache', `pnpm-${version}`)
  if (existsSync(path.join(home, 'node_modules/pnpm/package.json'))) return home
  console.error(`Fetching pnpm ${version} from the npm registry`)
  // Another run may be doing the same: each works in its own folder, and the first to finish wins.
  const draft = `${home}.${process.pid}`
  mkdirSync(draft, { recursive: true })
  writeFileSync(path.join(draft, 'package.json'), '{"private":true}\n')
  const args = [
    'install',
    '--prefix',
    draft,
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--loglevel=error',
  ]
  const npmCli = process.env.npm_execpath ?? ''
  const byNpm = /npm-cli\.[cm]?js$/.test(npmCli)
  const code = byNpm
    ? await run(process.execPath, [npmCli, ...args, `pnpm@${version}`], { cwd: draft })
    : await run('npm', [...args, `pnpm@${version}`], { cwd: draft, shell: process.platform === 'win32' })
  if (code !== 0) {
    rmSync(draft, { recursive: true, force: true })
    throw new Stop(
      `npm could not fetch pnpm ${version}. Is the machine online, and does \`npm ping\` succeed?\n` +
        'Behind a proxy or a mirror, set it with `npm config set proxy …` or `npm config set registry …`.',
      code,
    )
  }
  try {
    renameSync(draft, home)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(home)) throw error
  }
  return home
}

/** `pnpm install`, unless nothing that it reads has changed since it last succeeded. */
async function ensureInstalled() {
  const stampFile = path.join(root, 'node_modules', '.lithops-install')
  const stamp = installStamp()
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  console.error('Installing dependencies')
  await must(
    pnpm(['install', '--frozen-lockfile', '--prefer-offline', '--config.confirmModulesPurge=false']),
    'pnpm install failed. Offline, a first install is not possible; online, the message above says what is wrong.\n' +
      'If it speaks of an outdated lockfile: run `pnpm install` and commit pnpm-lock.yaml.',
  )
  writeFileSync(stampFile, stamp)
}

function installStamp() {
  const hash = createHash('sha256').update(`${manifest.packageManager} ${process.versions.modules}`)
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']
  for (const folder of ['packages', 'runtimes', '.']) {
    const entries = existsSync(path.join(root, folder))
      ? readdirSync(path.join(root, folder), { withFileTypes: true })
      : []
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const file = path.join(folder, entry.name, 'package.json')
      if (!existsSync(path.join(root, file))) continue
      files.push(file)
      // A clone moved or cleaned by hand has the stamp but not the folders.
      hash.update(String(existsSync(path.join(root, folder, entry.name, 'node_modules'))))
    }
  }
  for (const file of files.sort()) hash.update(file).update(readFileSync(path.join(root, file)))
  return hash.digest('hex')
}

/** All packages' tests, then the house's own; ends with one line of totals. */
async function runTests(args) {
  rmSync(reportDir, { recursive: true, force: true })
  mkdirSync(reportDir, { recursive: true })
  const vitestArgs = ['--passWithNoTests', '--reporter=default', `--reporter=${reporter}`, ...args]
  const env = { LITHOPS_TEST_REPORTS: reportDir }
  // Each package's run has workers of its own; many at once make tests wait for each other longer than they may.
  const packagesAtOnce = Math.max(2, Math.ceil(availableParallelism() / 2))
  const codes = [
    // What tests need is built before: turbo takes these arguments for arguments of builds too, and would build all anew.
    await turbo(
      ['test', '--only', '--continue', `--concurrency=${packagesAtOnce}`, '--', ...vitestArgs],
      env,
    ),
    await node('node_modules/vitest/vitest.mjs', ['run', '--root', 'scripts', ...vitestArgs], env),
  ]

  const reports = readReports(reportDir)
  const total = { passed: 0, failed: 0, skipped: 0 }
  const again = await runAgain(reports)
  for (const report of reports) {
    total.passed += report.passed
    for (const { name, file, error } of report.failed) {
      const recovered = again.has(fileId(report, file))
      total[recovered ? 'passed' : 'failed'] += 1
      console.log(`${recovered ? 'passed when run again, alone' : 'failed'}: ${report.package}: ${name}`)
      console.log(error.replace(/^/gm, '    '))
    }
    for (const { name, reason } of report.skipped) {
      const fails = process.env.LITHOPS_REQUIRE_REAL_PARTS === '1' && MISSING_PART.test(reason ?? '')
      console.log(
        `${fails ? 'failed' : 'skipped'}: ${report.package}: ${name}: ${reason ?? 'no reason given'}`,
      )
      total[fails ? 'failed' : 'skipped'] += 1
    }
  }
  // After failures that the second run made good, the codes of the first say nothing; that all have reported does.
  const excused =
    again.size > 0 && testedFolders().every(folder => reports.some(one => one.folder === folder))
  const crashed = excused ? undefined : codes.find(code => code !== 0)
  // A run that died before its report, or that ran nothing, has not passed.
  if (total.failed === 0 && (crashed !== undefined || total.passed === 0)) {
    console.log(
      crashed === undefined ? 'failed: no test ran' : 'failed: a test task ended without its report',
    )
    total.failed += 1
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  return total.failed === 0 ? 0 : (crashed ?? 1)
}

/** Of all packages that have tests. */
function testedFolders() {
  const folders = ['packages', 'runtimes'].flatMap(parent =>
    readdirSync(path.join(root, parent)).map(name => path.join(root, parent, name)),
  )
  return folders.filter(folder => {
    const file = path.join(folder, 'package.json')
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).scripts?.test !== undefined
  })
}

function readReports(folder) {
  return readdirSync(folder).map(file => JSON.parse(readFileSync(path.join(folder, file), 'utf8')))
}

function fileId(report, file) {
  return `${report.folder}\n${file}`
}

/**
 * Files with a failure are run once more, alone, where LITHOPS_RERUN_FAILED is set: whole suites side by side on two cores
 * hold up a test longer than it may take. What fails again has failed, and more than a few are no accident.
 * Returns the files that passed.
 */
async function runAgain(reports) {
  const files = new Map()
  for (const report of reports)
    for (const { file } of report.failed) files.set(fileId(report, file), { folder: report.folder, file })
  const passed = new Set()
  const few = files.size <= RERUN_AT_MOST && [...files.values()].every(({ file }) => file !== undefined)
  if (process.env.LITHOPS_RERUN_FAILED !== '1' || !few) return passed
  for (const [id, { folder, file }] of files) {
    console.log(`running again, alone: ${path.relative(root, path.join(folder, file))}`)
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
    if ((await run(process.execPath, [vitest, 'run', file], { cwd: folder })) === 0) passed.add(id)
  }
  return passed
}

function turbo(args, env) {
  return node('node_modules/turbo/bin/turbo', ['run', '--output-logs=new-only', ...args], env)
}

function pnpm(args) {
  return node(path.join(pnpmHome, 'node_modules/pnpm/bin/pnpm.cjs'), args)
}

function node(script, args, env) {
  return run(process.execPath, [path.resolve(root, script), ...args], { cwd: root, env })
}

/** The exit code of a child that has our terminal and gets our signals. */
function run(command, args, { cwd, env, shell = false }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      shell,
      stdio: 'inherit',
      env: { ...childEnv(), ...env },
    })
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    // The terminal sends SIGINT to the whole group; sending it again would look like a second Ctrl-C.
    const forward = signal => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal))
    for (const signal of signals) process.on(signal, forward)
    const done = () => {
      for (const signal of signals) process.off(signal, forward)
    }
    child.on('error', error => {
      done()
      reject(new Stop(`Could not start ${command}: ${error.message}`, 127))
    })
    child.on('close', (code, signal) => {
      done()
      // Die of the same signal, so that a shell or CI sees what happened.
      if (signal) process.kill(process.pid, signal)
      else resolve(code)
    })
  })
}

function childEnv() {
  const env = {
    ...process.env,
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
  }
  for (const name of Object.keys(env)) {
    // What `npm run` says about itself would be read by the pnpm below as its own configuration.
    if (/^npm_(package|lifecycle)_|^npm_config_(local_|global_)?prefix$/i.test(name)) delete env[name]
  }
  const pathName = Object.keys(env).find(name => name.toUpperCase() === 'PATH') ?? 'PATH'
  const bins = [path.dirname(process.execPath)]
  if (pnpmHome) bins.unshift(path.join(pnpmHome, 'node_modules', '.bin'))
  env[pathName] = [...bins, env[pathName]].join(path.delimiter)
  return env
}

async function must(running, message) {
  const code = await running
  if (code !== 0) throw new Stop(message, code)
}
