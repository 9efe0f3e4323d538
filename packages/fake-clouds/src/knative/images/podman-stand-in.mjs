#!/usr/bin/env node
// Builds, keeps and pushes "images" where there is no podman: one JSON document each, with the files that COPY lays over
// the base. It knows the arguments and the lines of Dockerfiles that the packages of this repository use, and no more: RUN
// is refused. Images are kept in the folder LITHOPS_STAND_IN_IMAGES, and pushed to an ImageRegistry.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const folder = process.env.LITHOPS_STAND_IN_IMAGES ?? fail('LITHOPS_STAND_IN_IMAGES is not set')
mkdirSync(folder, { recursive: true })
/** Images with Node and nothing else, which are here without having been pulled. */
const HERE = /^(docker\.io\/library\/node|localhost\/lithops-node):/

const [command, ...rest] = process.argv.slice(2)
const options = new Map()
const given = []
for (const argument of rest) {
  const [, name, value = ''] = /^--([a-z-]+)(?:=([\s\S]*))?$/.exec(argument) ?? []
  if (name === undefined) given.push(argument)
  else options.set(name, [...(options.get(name) ?? []), value])
}
const [first, second] = given

switch (command) {
  case 'info':
    console.log('0.0.0-stand-in')
    break
  case 'build':
    keep(
      options.get('tag')[0],
      labelled(
        build(options.get('file')[0], first, argumentsOf(options.get('build-arg') ?? [])),
        argumentsOf(options.get('label') ?? []),
      ),
    )
    break
  case 'tag':
    keep(second, find(first))
    break
  case 'rmi':
    rmSync(fileOf(first), { force: true })
    break
  case 'inspect':
    process.exitCode = has(first) ? 0 : 125
    break
  case 'login':
    await login(first, options.get('username')[0], readFileSync(0, 'utf8').trim())
    break
  case 'pull':
    await pull(first)
    break
  case 'push':
    await push(first)
    break
  default:
    fail(`unknown command ${command}`)
}

function fail(message) {
  console.error(`Error: ${message}`)
  process.exit(125)
}

function fileOf(image) {
  return path.join(folder, encodeURIComponent(image))
}

function has(image) {
  return HERE.test(image) || statSync(fileOf(image), { throwIfNoEntry: false }) !== undefined
}

function find(image) {
  if (statSync(fileOf(image), { throwIfNoEntry: false }) !== undefined)
    return JSON.parse(readFileSync(fileOf(image), 'utf8'))
  if (HERE.test(image)) return { files: {}, env: {}, entrypoint: ['node'] }
  fail(`${image}: image not known`)
}

function keep(name, image) {
  writeFileSync(fileOf(name), JSON.stringify(image))
}

function argumentsOf(pairs) {
  return Object.fromEntries(pairs.map(pair => pair.split(/=(.*)/s)))
}

function build(dockerfile, context, args) {
  let image
  for (const line of readFileSync(dockerfile, 'utf8').split('\n')) {
    const [, word, text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? []
    switch (word) {
      case 'FROM':
        image = structuredClone(find(text.replace(/\$\{?(\w+)\}?/, (_, name) => args[name] ?? '')))
        break
      case 'COPY': {
        const [source = '', target = ''] = text.split(/\s+/)
        copy(path.join(context, source), target, image.files)
        break
      }
      case 'ENV': {
        const [, key = '', value = ''] = /^(\w+)=(.*)$/.exec(text) ?? []
        image.env[key] = value
        break
      }
      case 'ENTRYPOINT':
        image.entrypoint = JSON.parse(text)
        break
      case 'RUN':
        fail('building: RUN needs podman, buildah or docker')
    }
  }
  return image
}

/** With a configuration of its own, as a manifest names it. */
function labelled(image, labels) {
  const all = { ...image.labels, ...labels }
  const digest = `sha256:${createHash('sha256').update(JSON.stringify(all)).digest('hex')}`
  return { ...image, labels: all, config: { digest } }
}

function copy(source, target, files) {
  const entry = statSync(source, { throwIfNoEntry: false })
  if (entry === undefined)
    fail(`building: copier: stat: "${path.basename(source)}": no such file or directory`)
  if (entry.isFile()) {
    const name = target.endsWith('/') ? path.posix.join(target, path.basename(source)) : target
    files[name] = readFileSync(source).toString('base64')
    return
  }
  for (const name of readdirSync(source, { recursive: true })) {
    const file = path.join(source, name)
    if (statSync(file).isFile())
      files[path.posix.join(target, name.split(path.sep).join('/'))] = readFileSync(file).toString('base64')
  }
}

function placeOf(image) {
  const [, server, name, reference] =
    /^([^/]+)\/(.+?)(?:@|:(?=[^/:]*$))(.+)$/.exec(image) ?? fail(`no image: ${image}`)
  return { server, url: `http://${server}/v2/${name}/manifests/${reference}` }
}

function authorization(server) {
  const file = process.env.REGISTRY_AUTH_FILE
  const kept = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'))
  return kept[server] === undefined ? {} : { authorization: kept[server] }
}

async function login(server, user, password) {
  const value = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const { status } = await fetch(`http://${server}/v2/`, { headers: { authorization: value } })
  if (status === 401) fail(`logging into "${server}": invalid username/password`)
  writeFileSync(process.env.REGISTRY_AUTH_FILE, JSON.stringify({ [server]: value }), { mode: 0o600 })
}

async function pull(image) {
  if (has(image)) return
  const { server, url } = placeOf(image)
  const answer = await ask(url, { headers: authorization(server) })
  if (answer.status === 401)
    fail(`initializing source docker://${image}: unauthorized: authentication required`)
  if (!answer.ok) fail(`initializing source docker://${image}: reading manifest: manifest unknown`)
  keep(image, await answer.json())
}

async function push(image) {
  const { server, url } = placeOf(image)
  const body = JSON.stringify(find(image))
  const answer = await ask(url, { method: 'PUT', body, headers: authorization(server) })
  if (answer.status === 401) fail(`trying to reuse blob: unauthorized: authentication required`)
  if (!answer.ok) fail(`pushing ${image}: status ${answer.status}`)
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
  writeFileSync(options.get('digestfile')[0], digest)
}

function ask(url, init) {
  return fetch(url, init).catch(error =>
    fail(`pinging container registry: ${error.cause?.message ?? error.message}`),
  )
}
