import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
} from '@aws-sdk/client-ecr'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { expect } from 'vitest'
import { FakeAws } from '../src/aws/index.ts'
import { dockerRegistry, withRealPart } from '../src/real-parts/index.ts'
import { invoke, makeFunction } from './fake-aws-functions.ts'

const registry = withRealPart(dockerRegistry)
const BOOTSTRAP = fileURLToPath(new URL('../src/aws/data-plane/bootstrap.mjs', import.meta.url))
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

/** The root of an image with Node, what it needs, a runtime and a function; as a tar. */
function nodeImage(source: string): Buffer {
  const folder = mkdtempSync(path.join(tmpdir(), 'fake-aws-image-'))
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' })
    .split('\n')
    .flatMap(line => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
  for (const file of libraries) cpSync(file, path.join(folder, file), { dereference: true })
  mkdirSync(path.join(folder, 'var/task'), { recursive: true })
  cpSync(process.execPath, path.join(folder, 'bin/node'), { dereference: true })
  cpSync(BOOTSTRAP, path.join(folder, 'var/runtime/bootstrap.mjs'))
  writeFileSync(path.join(folder, 'var/task/app.mjs'), source)
  execFileSync('tar', ['-cf', `${folder}.tar`, '-C', folder, '.'])
  const tar = readFileSync(`${folder}.tar`)
  for (const file of [folder, `${folder}.tar`]) rmSync(file, { recursive: true })
  return tar
}

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

async function pushBlob(host: string, repository: string, bytes: Buffer) {
  const begun = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' })
  const place = new URL(String(begun.headers.get('location')))
  place.searchParams.set('digest', digestOf(bytes))
  const put = await fetch(place, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'content-type': 'application/octet-stream' },
  })
  expect(put.status).toBe(201)
  return { digest: digestOf(bytes), size: bytes.length }
}

async function push(host: string, repository: string, tag: string, layer: Buffer) {
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {
        Entrypoint: ['/bin/node', '/var/runtime/bootstrap.mjs'],
        Cmd: ['app.handler'],
        WorkingDir: '/var/task',
        Env: ['OF_IMAGE=yes', 'PATH=/bin'],
      },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  )
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      ...(await pushBlob(host, repository, config)),
    },
    layers: [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await pushBlob(host, repository, layer)) },
    ],
  }
  const put = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    body: JSON.stringify(manifest),
    headers: { 'content-type': MANIFEST },
  })
  expect(put.status).toBe(201)
  return String(put.headers.get('docker-content-digest'))
}

registry.test(
  'images that are pushed are those of ECR, and run with their own files as root',
  async () => {
    const { host } = registry.part
    await using aws = await FakeAws.start({ containerRegistry: host })
    const ecr = new ECRClient({ ...aws.clientConfig, maxAttempts: 1 })
    const lambda = new LambdaClient({ ...aws.clientConfig, maxAttempts: 1 })
    const repositoryName = 'lithops/worker'
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
    expect(authorizationData?.[0]?.proxyEndpoint).toBe(`http://${host}`)
    const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName }))
    expect(repository?.repositoryUri).toBe(`${host}/${repositoryName}`)
    const layer = nodeImage(`import { readdirSync } from 'node:fs'
      export const handler = async event => ({ event, root: readdirSync('/').sort(), cwd: process.cwd(),
        env: process.env.OF_IMAGE, region: process.env.AWS_REGION })`)
    const digest = await push(host, repositoryName, 'one', layer)
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'one' }] }),
    )
    expect(imageDetails).toMatchObject([
      { imageDigest: digest, imageTags: ['one'], imageSizeInBytes: layer.length },
    ])
    const image = (uri: string) =>
      makeFunction(lambda, aws.roleArn, '', {
        PackageType: 'Image',
        Code: { ImageUri: uri },
        Runtime: undefined,
        Handler: undefined,
      })
    const name = await image(`${repository?.repositoryUri}@${digest}`)
    const { reply } = await invoke(lambda, name, 7)
    expect(reply).toMatchObject({ event: 7, cwd: '/var/task', env: 'yes', region: 'us-east-1' })
    expect((reply as { root: string[] }).root).toEqual(expect.arrayContaining(['bin', 'tmp', 'var']))
    expect((reply as { root: string[] }).root).not.toContain('root')
    await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: 'one' }] }))
    await expect(image(`${repository?.repositoryUri}@${digest}`)).rejects.toThrow(/does not exist/)
    expect((await fetch(`http://${host}/v2/${repositoryName}/manifests/${digest}`)).status).toBe(404)
    ecr.destroy()
    lambda.destroy()
  },
  { timeout: 60_000 },
)
