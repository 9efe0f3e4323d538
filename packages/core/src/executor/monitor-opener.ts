import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { DriverContext, StorageDriver } from '../driver/driver.ts'
import { checkDriverShape } from '../driver/driver-shape.ts'
import type { Monitor } from '../driver/monitor.ts'
import { ConfigError } from '../errors/index.ts'
import { importFallbackMonitor, importStorageMonitor } from '../lazy-imports.ts'
import type { Pause } from '../monitor/polling-pace.ts'
import type { OpenStorage } from '../storage/open-storage.ts'
import type { BackendChoice } from './backend-choice.ts'
import { sectionOf } from './driver-section.ts'
import type { ExecutorOptions } from './executor-options.ts'
import { findDriver } from './find-driver.ts'
import { isStorageless } from './job-storage-opener.ts'
import { storageless } from './needs-storage.ts'
import type { ExecutorParts } from './open-executor.ts'

/** Opens the monitor that options or config name; undefined where results come with replies. */
export function monitorOpener(
  options: ExecutorOptions,
  config: ResolvedConfig | undefined,
  context: DriverContext,
  chosen: {
    readonly storage: string | StorageDriver | undefined
    readonly backends: readonly BackendChoice[]
  },
): ExecutorParts['openMonitor'] {
  const wanted =
    options.monitoring ??
    config?.lithops.monitoring?.toLowerCase() ??
    (config?.lithops.rabbitmq_monitor === true ? 'rabbitmq' : undefined)
  if (
    options.monitoring === undefined &&
    config?.lithops.rabbitmq_monitor === true &&
    wanted !== 'rabbitmq'
  ) {
    throw new ConfigError(
      `lithops.rabbitmq_monitor is true, and lithops.monitoring is '${String(wanted)}': give one of them.`,
    )
  }
  if (wanted === undefined || wanted === 'direct') return undefined
  if (wanted === 'storage' && isStorageless(chosen.storage, chosen.backends))
    throw storageless('monitoring: storage')
  if (typeof wanted === 'object') checkDriverShape('monitor', 'the option monitoring', wanted)
  return async (storage): Promise<Monitor> => {
    const surroundings = { ...context, storage }
    if (wanted === 'storage') return openStorageMonitor(storage, config)
    const driver = typeof wanted === 'string' ? (await findDriver('monitor', wanted, context)).driver : wanted
    const monitor = await driver.create(sectionOf(driver, config, context.log), surroundings)
    if (monitor.fallsBackToStorage !== true || storage === undefined) return monitor
    const { FallbackMonitor } = await importFallbackMonitor()
    const second = await storageMonitorOpener(storage, config)
    return new FallbackMonitor(monitor, second, context.log)
  }
}

/** That of the storage way home, whatever the config names. */
export async function openStorageMonitor(
  storage: OpenStorage | undefined,
  config: ResolvedConfig | undefined,
): Promise<Monitor> {
  return (await storageMonitorOpener(storage, config))(usual => usual)
}

async function storageMonitorOpener(storage: OpenStorage | undefined, config: ResolvedConfig | undefined) {
  const storageMonitor = await importStorageMonitor()
  const interval = config?.lithops.monitoring_interval
  const section = interval === undefined ? {} : { monitoring_interval: interval }
  return (makePause: (usual: Pause) => Pause) =>
    storageMonitor.openStorageMonitor(section, { storage, makePause })
}
