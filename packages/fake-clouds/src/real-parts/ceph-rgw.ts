import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { defineRealPart } from './real-part.ts'
import type { S3Server } from './s3-server.ts'
import { answers, freePort, inFolder, ServerProcess } from './server-process.ts'

const ACCESS_KEY = 'CEPHTESTKEY'
const SECRET_KEY = 'ceph-secret-key'
const STORE_BYTES = 2 * 1024 ** 3
/** Where Debian has the classes of objects; the gateway's bucket indexes are one. */
const CLASS_FOLDER = '/usr/lib/x86_64-linux-gnu/rados-classes'

/** Ceph's object gateway with one monitor and one OSD that keeps everything in memory. Ready in about 15 s. */
export const cephRgw = defineRealPart({
  name: 'Ceph RGW',
  programs: ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool'],
  install: 'apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common',
  start: programs =>
    inFolder('ceph', async (folder): Promise<S3Server> => {
      const [monitorPort, port] = [await freePort(), await freePort()]
      const config = path.join(folder, 'ceph.conf')
      const keyring = path.join(folder, 'keyring')
      await Promise.all(['mon', 'osd', 'run'].map(name => mkdir(path.join(folder, name))))
      await writeFile(config, cephConfig(folder, monitorPort, port))
      const run = async (program: keyof typeof programs, ...args: string[]) => {
        const { stdout } = await promisify(execFile)(programs[program], args, {
          env: { ...process.env, CEPH_CONF: config },
          timeout: 60_000,
        })
        return stdout
      }
      const daemon = (program: keyof typeof programs, name: string, ...args: string[]) =>
        new ServerProcess({
          command: programs[program],
          args: ['-c', config, '-f', ...args],
          logFile: path.join(folder, `${name}.out`),
        })

      // holds the folder until the others have ended
      const keeper = new ServerProcess({
        command: process.execPath,
        args: ['-e', 'setInterval(() => {}, 2 ** 30)'],
        logFile: path.join(folder, 'keeper.out'),
        folder,
      })
      const daemons = [keeper]
      const close = async () => {
        for (const running of daemons.toReversed()) await running.close()
      }
      try {
        await makeKeys(run, keyring)
        const monmap = path.join(folder, 'monmap')
        const address = `[v2:127.0.0.1:${monitorPort}]`
        await run('monmaptool', '--create', '--fsid', CLUSTER_ID, '--addv', 'a', address, monmap)
        await run('ceph-mon', '-c', config, '-i', 'a', '--mkfs', '--monmap', monmap, '--keyring', keyring)
        daemons.push(daemon('ceph-mon', 'mon', '-i', 'a'))
        const id = randomUUID()
        await run('ceph', '-c', config, 'osd', 'new', id, '0')
        await run(
          'ceph',
          '-c',
          config,
          'osd',
          'crush',
          'add',
          'osd.0',
          '1.0',
          'host=localhost',
          'root=default',
        )
        await run('ceph-osd', '-c', config, '-i', '0', '--mkfs', '--osd-uuid', id)
        const osd = daemon('ceph-osd', 'osd', '-i', '0')
        daemons.push(osd)
        await osd.ready(async () => (await run('ceph', '-c', config, 'osd', 'stat')).includes('1 up'))
        const gateway = daemon('radosgw', 'rgw', '-n', 'client.rgw')
        daemons.push(gateway)
        const endpoint = `http://127.0.0.1:${port}`
        await gateway.ready(() => answers(endpoint))
        await run('radosgw-admin', '-c', config, '-n', 'client.rgw', ...USER)
        // while it makes its pools it may answer 500
        await gateway.ready(() => answers(endpoint))
        return { endpoint, region: 'default', accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY, close }
      } catch (error) {
        await close()
        throw error
      }
    }),
})

const CLUSTER_ID = '22222222-2222-2222-2222-222222222222'
const USER = [
  'user',
  'create',
  '--uid=tester',
  '--display-name=tester',
  `--access-key=${ACCESS_KEY}`,
  `--secret-key=${SECRET_KEY}`,
]

async function makeKeys(
  run: (program: 'ceph-authtool', ...args: string[]) => Promise<string>,
  keyring: string,
): Promise<void> {
  const caps = ['--cap', 'mon', 'allow *']
  const key = (name: string, ...more: string[]) =>
    run('ceph-authtool', keyring, '--gen-key', '-n', name, ...caps, ...more)
  await run('ceph-authtool', '--create-keyring', keyring, '--gen-key', '-n', 'mon.', ...caps)
  await key('client.admin', '--cap', 'osd', 'allow *', '--cap', 'mgr', 'allow *')
  await key('client.rgw', '--cap', 'osd', 'allow *')
  await key('osd.0', '--cap', 'osd', 'allow *')
}

function cephConfig(folder: string, monitorPort: number, port: number): string {
  return `[global]
fsid = ${CLUSTER_ID}
mon_host = v2:127.0.0.1:${monitorPort}
mon_initial_members = a
public_addr = 127.0.0.1
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = ${folder}/keyring
run_dir = ${folder}/run
admin_socket = ${folder}/run/$name.asok
pid_file = ${folder}/run/$name.pid
log_file = ${folder}/$name.log
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
mon_data_avail_crit = 1
mon_data = ${folder}/mon
ms_bind_ipv6 = false
[osd]
osd_class_dir = ${CLASS_FOLDER}
osd_data = ${folder}/osd
osd_objectstore = memstore
memstore_device_bytes = ${STORE_BYTES}
osd_class_load_list = *
osd_class_default_list = *
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_data = ${folder}
rgw_enable_usage_log = false
rgw_enable_quota_threads = false
rgw_enable_gc_threads = false
rgw_enable_lc_threads = false
rgw_thread_pool_size = 32
`
}
