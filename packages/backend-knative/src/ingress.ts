import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { V1Service } from '@kubernetes/client-node'
import { type DriverLog, RuntimeDeployError } from '@lithops/core/driver'
import { type CallOptions, type Cluster, kubeconfigPlaces } from './cluster.ts'
import type { KnativeSettings, NetworkingLayer } from './config.ts'
import type { KnativeService } from './objects.ts'
import { hasStatus } from './vendor-errors.ts'

/** How requests get to a service. */
export interface Route {
  /** Where connections go: scheme, host and port. */
  readonly origin: string
  /** The header Host, and for TLS the name that the certificate must have. */
  readonly host: string
}

/** Gateways that lead into the cluster, as their installations name them. From: https://knative.dev/docs/install/ */
const GATEWAYS: Readonly<Record<NetworkingLayer, { readonly namespace: string; readonly name: string }>> = {
  kourier: { namespace: 'kourier-system', name: 'kourier' },
  istio: { namespace: 'istio-system', name: 'istio-ingressgateway' },
  contour: { namespace: 'contour-external', name: 'envoy' },
}
/** What clusters without a domain of their own call theirs: nobody has such a name. */
const NO_DOMAIN = /\.(example\.com|svc\.cluster\.local)$/

/** What of the cluster is looked at. */
export type GatewayFinder = Pick<Cluster, 'findGateway' | 'listNodes'>

export interface RouteOptions extends CallOptions {
  readonly settings: Pick<
    KnativeSettings,
    'ingress' | 'networkingLayer' | 'namespace' | 'kubeconfigPath' | 'context'
  >
  readonly log: DriverLog
}

/**
 * Finds the way to a ready service: the config's endpoint; inside of the cluster the service's own address; its domain, where
 * that is a name that this machine can resolve; else the gateway of the networking layer, at its load balancer or node port.
 *
 * @throws RuntimeDeployError that says what was tried
 */
export async function routeTo(
  service: KnativeService,
  cluster: GatewayFinder,
  options: RouteOptions,
): Promise<Route> {
  const { settings, log } = options
  const { url: publicUrl = '', address } = service.status ?? {}
  const url = new URL(publicUrl)
  const { host } = url
  if (settings.ingress !== undefined) return { origin: settings.ingress.origin, host }
  if (kubeconfigPlaces(settings).isInPod && address?.url !== undefined) {
    const inside = new URL(address.url)
    return { origin: inside.origin, host: inside.host }
  }
  const tried: string[] = []
  if (await isKnown(url.hostname, tried)) return { origin: url.origin, host }
  const { networkingLayer } = settings
  const layers =
    networkingLayer === undefined ? (Object.keys(GATEWAYS) as NetworkingLayer[]) : [networkingLayer]
  for (const layer of layers) {
    const origin = await gatewayOf(layer, url.protocol, cluster, options, tried)
    if (origin === undefined) continue
    log.debug(`requests to ${host} go by the gateway of ${layer}, ${origin}`)
    return { origin, host }
  }
  throw new RuntimeDeployError(
    `No way to the service ${service.metadata.name} (${publicUrl}) was found: ${tried.join('; ')}. ` +
      'Set knative.ingress_endpoint to the host and port of the gateway, or give the cluster a domain.',
    { details: { serviceName: service.metadata.name, url: publicUrl } },
  )
}

async function isKnown(hostname: string, tried: string[]): Promise<boolean> {
  if (isIP(hostname) !== 0) return true
  if (NO_DOMAIN.test(hostname)) {
    tried.push(`${hostname} is a name that clusters without a domain of their own give`)
    return false
  }
  try {
    await lookup(hostname)
    return true
  } catch (error) {
    tried.push(`this machine does not know ${hostname} (${(error as NodeJS.ErrnoException).code})`)
    return false
  }
}

/** Undefined, with a word in `tried`, when it is not there, or cannot be reached from outside. */
async function gatewayOf(
  layer: NetworkingLayer,
  scheme: string,
  cluster: GatewayFinder,
  options: CallOptions,
  tried: string[],
): Promise<string | undefined> {
  const { namespace, name } = GATEWAYS[layer]
  const place = `${namespace}/${name}`
  let gateway: V1Service | undefined
  try {
    gateway = await cluster.findGateway(namespace, name, options)
  } catch (error) {
    if (!hasStatus(error, 403)) throw error
    tried.push(`looking at the gateway of ${layer} (${place}) is not allowed`)
    return undefined
  }
  if (gateway === undefined) {
    tried.push(`there is no ${place}`)
    return undefined
  }
  const wanted = scheme === 'https:' ? { port: 443, name: /^https/ } : { port: 80, name: /^http(?!s)/ }
  const ports = gateway.spec?.ports ?? []
  const port =
    ports.find(one => one.port === wanted.port) ?? ports.find(one => wanted.name.test(one.name ?? ''))
  const balancer = gateway.status?.loadBalancer?.ingress?.[0]
  const outside = balancer?.ip ?? balancer?.hostname
  if (port !== undefined && outside !== undefined) return originOf(scheme, outside, port.port)
  if (port?.nodePort === undefined) {
    tried.push(`${place} has neither a load balancer nor a node port`)
    return undefined
  }
  try {
    const addresses = (await cluster.listNodes(options)).flatMap(({ status }) => status?.addresses ?? [])
    const node = ['ExternalIP', 'InternalIP']
      .map(type => addresses.find(one => one.type === type))
      .find(one => one !== undefined)
    if (node !== undefined) return originOf(scheme, node.address, port.nodePort)
    tried.push(`${place} has the node port ${port.nodePort}, and no node has an address`)
  } catch (error) {
    if (!hasStatus(error, 403)) throw error
    tried.push(`${place} has the node port ${port.nodePort}, and looking at nodes is not allowed`)
  }
  return undefined
}

function originOf(scheme: string, host: string, port: number): string {
  return new URL(`${scheme}//${isIP(host) === 6 ? `[${host}]` : host}:${port}`).origin
}
