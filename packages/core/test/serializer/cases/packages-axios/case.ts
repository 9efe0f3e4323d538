import axios, { AxiosError, isAxiosError } from 'axios'
const client = axios.create({ baseURL: 'http://127.0.0.1:9/', timeout: 500 })
const app = { client }
export const cases = [
  { name: 'client', fn: () => client.defaults.baseURL, expected: 'http://127.0.0.1:9/', warns: /client/ },
  { name: 'in an object', fn: () => app.client.getUri({ url: 'x' }), expected: 'http://127.0.0.1:9/x', warns: /client|app/ },
  { name: 'refused connection', fn: async () => { try { await client.get('x', { proxy: false }); return 'answered' } catch (e) { return [isAxiosError(e), e instanceof AxiosError, (e as any).code] } }, expected: [true, true, 'ECONNREFUSED'], warns: /client/ },
]
