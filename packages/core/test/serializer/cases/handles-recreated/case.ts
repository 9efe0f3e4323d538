import net from 'node:net'
const server = net.createServer()
export const fn = () => typeof server.listen
export const expected = 'function'
export const warns = /server/
