import net from 'node:net'
import fs from 'node:fs'
import { Worker } from 'node:worker_threads'
let server = net.createServer()
server = server
let deep = { a: { b: [0, { sock: new net.Socket() }] } }
deep = deep
class Service { #socket = new net.Socket(); touch() { return this.#socket.pending } }
let service = new Service()
service = service
const inMap = new Map([['conn', { socket: deep.a.b[1] }]])
let viaClosure = (() => { let hidden = net.createServer(); hidden = hidden; return () => hidden.listening })()
viaClosure = viaClosure
let port = new MessageChannel().port1
port = port
let stream = fs.createReadStream('/dev/null')
stream.on('error', () => {})
stream = stream

export const cases = [
  { name: 'server', fn: () => server.listening, fails: /server cannot be copied because it is a Server from 'node:net' \(a live handle of this process.*variable 'server' \(declared at .*case\.ts:\d+:\d+\)/s },
  { name: 'deep inside', fn: () => deep, fails: /deep\.a\.b\[1\]\.sock cannot be copied because it is a Socket from 'node:net'/ },
  { name: 'private field', fn: () => service.touch(), fails: /service.*#socket.* cannot be copied because it is a Socket from 'node:net'/ },
  { name: 'value of a Map', fn: () => inMap, fails: /inMap.*conn.*socket.*sock cannot be copied because it is a Socket/ },
  { name: 'through another closure', fn: () => viaClosure(), fails: /viaClosure.*hidden cannot be copied because it is a Server/s },
  { name: 'MessagePort', fn: () => port, fails: /port cannot be copied because it is a MessagePort/ },
  { name: 'ReadStream', fn: () => stream.path, fails: /stream cannot be copied because it is a ReadStream/ },
]
