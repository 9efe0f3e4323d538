import { TcpFaultProxy } from '@lithops/fake-clouds/fault-proxy'

await using proxy = await TcpFaultProxy.start({ port: 6379 })
console.log(`clients connect to ${proxy.host}:${proxy.port}`)
proxy.inject({ kind: 'cut', direction: 'toClient', afterBytes: 10_000 }) // or 'stall', or 'toService'
proxy.refuse() // new connections are cut, until refuse(false)
proxy.cutAll() // all connections of now
