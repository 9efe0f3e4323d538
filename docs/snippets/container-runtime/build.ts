import {
  buildWorkerImage,
  bundleWorker,
  byDigest,
  contentTag,
  DEFAULT_BASE_IMAGE,
  digestOf,
  findImageTool,
  imageName,
  loginOf,
} from '@lithops/container-runtime'

const settings = { dockerServer: 'docker.io', dockerUser: 'me', dockerPassword: process.env.DOCKER_PASSWORD }
const worker = await bundleWorker()
const platform = 'linux/amd64'
const tag = contentTag([DEFAULT_BASE_IMAGE, worker, platform])
const image = imageName('my_backend', settings, `my-worker:${tag}`)
const login = loginOf('my_backend', settings)

let digest = await digestOf(image, { login })
if (digest === undefined) {
  await using tool = await findImageTool()
  await buildWorkerImage(tool, { image, base: DEFAULT_BASE_IMAGE, worker, platform })
  if (login !== undefined) await tool.login(login)
  digest = await tool.push(image)
}
console.log(byDigest(image, digest)) // docker.io/me/my-worker@sha256:…
