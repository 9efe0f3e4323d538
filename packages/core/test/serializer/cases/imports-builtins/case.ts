import * as fs from 'node:fs'
import { existsSync as exists, readFileSync } from 'node:fs'
import os from 'os'
import path from 'node:path'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stats } from 'node:fs'

const read = fs.readFileSync
export const cases = [
  { name: 'all styles', fn: () => [fs.existsSync('/'), typeof readFileSync('/etc/hostname', 'utf8'), exists('/'), os.EOL, path.join('a', 'b')], expected: [true, 'string', true, '\n', 'a/b'] },
  { name: 'hash', fn: () => createHash('md5').update('a').digest('hex'), expected: createHash('md5').update('a').digest('hex') },
  { name: 'timers/promises', fn: () => sleep(1, 'woke'), expected: 'woke' },
  { name: 'alias', fn: () => typeof read('/etc/hostname'), expected: 'object' },
  { name: 'type only', fn: (stats?: Stats) => stats === undefined, expected: true },
]
