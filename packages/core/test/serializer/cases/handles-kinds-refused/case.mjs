import net from 'node:net'
import fs from 'node:fs'
import { Worker, MessageChannel } from 'node:worker_threads'
import { setTimeout as st } from 'node:timers/promises'
let sock = new net.Socket(); sock = sock
let timer = setTimeout(() => {}, 1e6); timer.unref(); timer = timer
let fd = { stream: fs.createReadStream('/dev/null') }; fd = fd
let port = new MessageChannel().port1; port.close(); port = port
let ws = new WeakRef({}); ws = ws
let gen = (function* () { yield 1 })(); gen = gen
let pr = (async () => 1)(); pr = pr
let iter = [1, 2].values(); iter = iter
let ns = { a: { b: new Map([['k', { deep: [sock] }]]) } }; ns = ns
let ctx = { signal: AbortSignal.abort(), h: new Headers({ a: '1' }) }; ctx = ctx
let key = (await import('node:crypto')).generateKeyPairSync('ed25519').privateKey; key = key
class A { m() { return super.toString() } static s = 1 }
export const cases = [
 ['socket', () => sock], ['timer', () => timer], ['stream', () => fd], ['port', () => port], ['weakref', () => ws.deref()], ['generator', () => gen.next()], ['promise', () => pr], ['iterator', () => [...iter]], ['in a map', () => ns], ['signal', () => ctx.signal], ['key', () => key], ['class', A], ['eval', x => eval('x')], ['method with super alone', A.prototype.m],
].map(([name, fn]) => ({ name, fn, fails: /./ }))
