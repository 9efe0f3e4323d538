import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { defineRealPart, type RunningPart } from './real-part.ts'
import { accepts, inFolder, ServerProcess } from './server-process.ts'

const run = promisify(execFile)

export interface ContainerTools extends RunningPart {
  /** For podman and buildah: images of this test alone, builds that need no rights of a real root. */
  readonly env: Readonly<Record<string, string>>
  /** The same for docker: its command line speaks to a daemon of podman's, which has the same images. */
  readonly dockerEnv: Readonly<Record<string, string>>
  /** An image of this machine's Node and the libraries that it needs, and nothing else. */
  readonly nodeImage: string
  readonly podman: string
  /**
   * Makes an image of programs of this machine, with the libraries that they need: paths in the image, and here. `/bin/node`
   * must be among them.
   */
  imageOf(name: string, programs: Readonly<Record<string, string>>): Promise<string>
}

const END_MS = 30_000
const NODE_IMAGE = 'localhost/lithops-node:test'
/** Parts of the system's C library that Node itself does not need, and addons do. */
const LIBRARIES_OF_ADDONS = [
  'librt.so.1',
  'libresolv.so.2',
  'libutil.so.1',
  'libstdc++.so.6',
  'libgcc_s.so.1',
]
const USERS = 'root:x:0:0::/root:/bin/node\nnode:x:1000:1000::/tmp:/bin/node\n'

/** Tools that build, push, pull and run images, with a place for them that goes with the test. Linux only. */
export const containerTools = defineRealPart({
  name: 'container-tools',
  programs: ['podman', 'buildah', 'runc'],
  install: 'apt-get install podman buildah runc',
  start: ({ podman, buildah }) =>
    inFolder('containers', async (folder): Promise<ContainerTools> => {
      const env = await environmentIn(folder)
      const imageOf = (name: string, programs: Readonly<Record<string, string>>) =>
        buildImage({ buildah, folder, env }, name, programs)
      await imageOf(NODE_IMAGE, { '/bin/node': process.execPath })
      const socket = path.join(folder, 'podman.sock')
      const daemon = new ServerProcess({
        command: podman,
        args: ['system', 'service', '--time=0', `unix://${socket}`],
        logFile: path.join(folder, 'daemon.log'),
        env,
      })
      await daemon.ready(() => accepts(socket))
      let closing: Promise<void> | undefined
      const close = async () => {
        await daemon.close()
        const options = { env: { ...process.env, ...env }, timeout: END_MS }
        await run(podman, ['rm', '--all', '--force', '--time=0'], options)
        // builds that were stopped leave these mounted
        await run(buildah, ['rm', '--all'], options)
        await rm(folder, { recursive: true, force: true, maxRetries: 3 })
      }
      return {
        env,
        dockerEnv: {
          DOCKER_HOST: `unix://${socket}`,
          // podman's daemon has no BuildKit
          DOCKER_BUILDKIT: '0',
        },
        nodeImage: NODE_IMAGE,
        podman,
        imageOf,
        close: () => (closing ??= close()),
      }
    }),
})

async function environmentIn(folder: string): Promise<Record<string, string>> {
  const file = async (name: string, text: string) => {
    await writeFile(path.join(folder, name), text)
    return path.join(folder, name)
  }
  const storage = `[storage]
driver = "overlay"
runroot = "${folder}/run"
graphroot = "${folder}/images"
[storage.options.overlay]
skip_mount_home = "true"
`
  // crun refuses without CAP_SYS_RESOURCE and with hybrid cgroups; so do the usual limits
  const containers = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
`
  // of any port; docker's daemon knows by itself that a registry of this machine speaks plain HTTP
  const registries = `[[registry]]
location = "127.0.0.1"
insecure = true
`
  return {
    CONTAINERS_STORAGE_CONF: await file('storage.conf', storage),
    CONTAINERS_CONF: await file('containers.conf', containers),
    CONTAINERS_REGISTRIES_CONF: await file('registries.conf', registries),
    BUILDAH_ISOLATION: 'chroot',
  }
}

/** Base images cannot be had without a registry: this machine's programs make one. */
async function buildImage(
  {
    buildah,
    folder,
    env,
  }: { readonly buildah: string; readonly folder: string; readonly env: Readonly<Record<string, string>> },
  name: string,
  programs: Readonly<Record<string, string>>,
): Promise<string> {
  const root = await mkdtemp(path.join(folder, 'image-'))
  const libraries = Object.values(programs).flatMap(librariesOf)
  const system = path.dirname(libraries.find(file => path.basename(file) === 'libc.so.6') ?? '/lib')
  const more = LIBRARIES_OF_ADDONS.map(one => path.join(system, one)).filter(file => existsSync(file))
  for (const file of new Set([...libraries, ...more]))
    await cp(file, path.join(root, file), { dereference: true })
  await mkdir(path.join(root, 'tmp'))
  await run('chmod', ['1777', path.join(root, 'tmp')])
  await mkdir(path.join(root, 'etc'))
  await writeFile(path.join(root, 'etc/passwd'), USERS)
  for (const [place, file] of Object.entries(programs))
    await cp(file, path.join(root, place), { dereference: true })
  const dockerfile = `${root}.Dockerfile`
  await writeFile(dockerfile, 'FROM scratch\nCOPY . /\nENV PATH=/bin\nCMD ["node"]\n')
  await run(buildah, ['build', `--tag=${name}`, `--file=${dockerfile}`, root], {
    env: { ...process.env, ...env },
  })
  await rm(root, { recursive: true })
  return name
}

function librariesOf(program: string): readonly string[] {
  return execFileSync('ldd', [program], { encoding: 'utf8' })
    .split('\n')
    .flatMap(line => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
}
