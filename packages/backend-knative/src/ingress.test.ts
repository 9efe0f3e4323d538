import { afterEach, expect, test, vi } from 'vitest'
import { kubeconfigPlaces } from './cluster.ts'
import { settingsOf } from './config.ts'
import { type GatewayFinder, routeTo } from './ingress.ts'
import type { KnativeService } from './objects.ts'

vi.mock(import('./cluster.ts'), async original => ({
  ...(await original()),
  kubeconfigPlaces: vi.fn(() => ({ files: [], isInPod: false })),
}))
afterEach(() => {
  vi.mocked(kubeconfigPlaces).mockReturnValue({ files: [], isInPod: false })
})

const log = { debug() {}, info() {}, warn() {} }
const serviceAt = (url: string): KnativeService => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'words' },
  spec: { template: { spec: {} } },
  status: { url, address: { url: 'http://words.team.svc.cluster.local' } },
})
const refused = Object.assign(new Error('forbidden'), { code: 403, body: '{}' })
const none: GatewayFinder = { findGateway: async () => undefined, listNodes: async () => [] }
const gateway = (name: string, spec: object, status: object = {}): GatewayFinder => ({
  findGateway: async (_, asked) => (asked === name ? { spec, status } : undefined),
  listNodes: async () => [
    { status: { addresses: [{ type: 'InternalIP', address: '10.0.0.5' }] } },
    { status: { addresses: [{ type: 'ExternalIP', address: '203.0.113.9' }] } },
  ],
})
const route = (url: string, finder: GatewayFinder, config: Parameters<typeof settingsOf>[0] = {}) =>
  routeTo(serviceAt(url), finder, { settings: settingsOf(config), log })

test('the endpoint of the config comes first, and the host of the service stays in the header', async () => {
  expect(await route('http://words.team.example.com', none, { ingress_endpoint: 'localhost:8080' })).toEqual({
    origin: 'http://localhost:8080',
    host: 'words.team.example.com',
  })
})

test('inside of the cluster, the address of the service itself is taken', async () => {
  vi.mocked(kubeconfigPlaces).mockReturnValue({ files: [], isInPod: true })
  expect(await route('https://words.team.example.com', none)).toEqual({
    origin: 'http://words.team.svc.cluster.local',
    host: 'words.team.svc.cluster.local',
  })
})

test('a name that this machine knows is taken as it is', async () => {
  expect(await route('http://localhost:8081', none)).toEqual({
    origin: 'http://localhost:8081',
    host: 'localhost:8081',
  })
})

test.each([
  [
    'the load balancer of Kourier',
    'kourier',
    { ports: [{ name: 'http2', port: 80, nodePort: 31380 }] },
    { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } },
    'http://203.0.113.7',
  ],
  [
    'the load balancer of Istio, which has a name and other ports besides',
    'istio-ingressgateway',
    {
      ports: [
        { name: 'status-port', port: 15021 },
        { name: 'http2', port: 80 },
      ],
    },
    { loadBalancer: { ingress: [{ hostname: 'lb.example.net' }] } },
    'http://lb.example.net',
  ],
  [
    'the node port of Contour, at a node that can be reached from outside',
    'envoy',
    { ports: [{ name: 'http', port: 80, nodePort: 30080 }] },
    {},
    'http://203.0.113.9:30080',
  ],
])('%s is found', async (_, name, spec, status, origin) => {
  expect(await route('http://words.team.example.com', gateway(name, spec, status))).toEqual({
    origin,
    host: 'words.team.example.com',
  })
})

test('a service with TLS is reached by the port for it', async () => {
  const spec = {
    ports: [
      { name: 'http2', port: 80 },
      { name: 'https', port: 443 },
    ],
  }
  const status = { loadBalancer: { ingress: [{ ip: '2001:db8::7' }] } }
  expect(await route('https://words.team.example.com', gateway('kourier', spec, status))).toEqual({
    origin: 'https://[2001:db8::7]',
    host: 'words.team.example.com',
  })
})

test('what was tried is said when nothing leads there', async () => {
  const forbidden: GatewayFinder = {
    findGateway: async namespace => {
      if (namespace === 'istio-system') throw refused
      return namespace === 'contour-external' ? { spec: { ports: [{ port: 80 }] } } : undefined
    },
    listNodes: async () => [],
  }
  const error = await route('http://words.team.example.com', forbidden).catch(one => one)
  for (const part of [
    'clusters without a domain',
    'there is no kourier-system/kourier',
    'gateway of istio (istio-system/istio-ingressgateway) is not allowed',
    'contour-external/envoy has neither',
    'knative.ingress_endpoint',
  ])
    expect(error.message).toContain(part)
})
