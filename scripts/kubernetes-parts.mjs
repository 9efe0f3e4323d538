// Kubernetes from the Go module proxy: the API server with etcd and Knative Serving's own definitions of its resources; and what
// makes a machine a node that runs Jobs.

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const VERSION = 'v1.35.4'
/** The modules that Kubernetes is made of are published one by one, with the same version but for this. */
const PART_VERSION = VERSION.replace('v1.', 'v0.')
const KNATIVE_VERSION = 'v0.51.0'
const SERVERS = {
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  etcd: 'go.etcd.io/etcd/server/v3',
}
const NODE = Object.fromEntries(
  ['kubelet', 'kube-scheduler', 'kube-controller-manager'].map(name => [
    name,
    `k8s.io/kubernetes/cmd/${name}`,
  ]),
)
/** Holds what the containers of a pod share, as the image "pause" of Kubernetes, whose registry is out of reach for many. */
const PAUSE = 'kubernetes-pause'
const PAUSE_SOURCE = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}
`
const DEFINITIONS = ['service', 'configuration', 'revision', 'route']
const DEFINITION_FOLDER = 'knative-serving'

/** What is there afterwards: programs in `bin`, files below the folder of all parts. */
export const KUBERNETES = {
  programs: Object.keys(SERVERS),
  files: DEFINITIONS.map(name => path.join(DEFINITION_FOLDER, `${name}.yaml`)),
}
export const KUBELET = { programs: [...Object.keys(NODE), PAUSE] }

/**
 * @param home folder of all parts
 * @param run runs a program: `run(command, arguments, environment, { cwd, isRead })`
 */
export function buildApiServer(home, run) {
  const go = goOf(home, run)
  if (!go.prepare()) return
  const { Dir: knative } = go.ask('mod', 'download', '-json', `knative.dev/serving@${KNATIVE_VERSION}`)
  // what went wrong was told by Go
  if (knative === undefined) return
  for (const [name, main] of Object.entries(SERVERS)) go.build(name, main)
  copyDefinitions(knative, path.join(home, DEFINITION_FOLDER))
}

/** The kubelet, the scheduler and the controllers of the same version. */
export function buildNode(home, run) {
  const go = goOf(home, run)
  if (!go.prepare()) return
  for (const [name, main] of Object.entries(NODE)) go.build(name, main)
  const pause = path.join(go.folder, 'pause')
  mkdirSync(pause, { recursive: true })
  writeFileSync(path.join(pause, 'main.go'), PAUSE_SOURCE)
  go.build(PAUSE, './pause')
}

function goOf(home, run) {
  const folder = path.join(home, 'kubernetes')
  const ask = (...args) => JSON.parse(run('go', args, {}, { cwd: folder, isRead: true }) || '{}')
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(VERSION)
  const stamp = 'k8s.io/component-base/version'
  const flags = `-s -w -X ${stamp}.gitVersion=${VERSION} -X ${stamp}.gitMajor=${major} -X ${stamp}.gitMinor=${minor}`
  return {
    folder,
    ask,
    /** Writes the module that programs of Kubernetes are built in. False where Go does not get it, which it has told then. */
    prepare() {
      mkdirSync(path.join(home, 'bin'), { recursive: true })
      mkdirSync(folder, { recursive: true })
      // its own go.mod has folders in the places of its parts, which only its repository has
      const { GoMod: file } = ask('mod', 'download', '-json', `k8s.io/kubernetes@${VERSION}`)
      if (file === undefined) return false
      const { Replace: replaced } = ask('mod', 'edit', '-json', file)
      const replace = replaced
        .filter(({ New }) => New.Path.startsWith('./staging/'))
        .map(({ Old }) => `replace ${Old.Path} => ${Old.Path} ${PART_VERSION}\n`)
      writeFileSync(
        path.join(folder, 'go.mod'),
        `module kubernetes\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes ${VERSION}\n\n${replace.join('')}`,
      )
      rmSync(path.join(folder, 'go.sum'), { force: true })
      return true
    },
    /** Politely: others may be working on this machine. */
    build(name, main) {
      run(
        'nice',
        [
          ...['-n', '15', 'go', 'build', '-p=1', '-mod=mod', '-trimpath', `-ldflags=${flags}`],
          ...['-o', path.join(home, 'bin', name), main],
        ],
        { CGO_ENABLED: '0' },
        { cwd: folder },
      )
    },
  }
}
/** Files of the module cache may not be written to, and copies of them neither. */
function copyDefinitions(source, target) {
  mkdirSync(target, { recursive: true })
  for (const name of DEFINITIONS) {
    const file = path.join(target, `${name}.yaml`)
    rmSync(file, { force: true })
    copyFileSync(path.join(source, 'config', 'core', '300-resources', `${name}.yaml`), file)
  }
}
