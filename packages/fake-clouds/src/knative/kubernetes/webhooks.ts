import type { GivenObject } from '../api/object-store.ts'
import { StatusError } from '../api/status-error.ts'
import { checkService, WORKER_CONTAINER } from '../serving/template.ts'

// What Knative's webhooks do beside the schemas of its resources: they fill in defaults, and refuse. From: config/core/webhooks
// of knative/serving, and "pkg/apis/serving/v1".

/** Paths of the two webhooks, which API servers are told. */
export const WEBHOOK_PATHS = { defaulting: '/defaulting', validation: '/resource-validation' } as const

const DENIED = /^admission webhook "[^"]*" denied the request: /

interface ReviewRequest {
  readonly uid: string
  readonly object?: GivenObject
  readonly userInfo?: { readonly username?: string }
}

/** An answer to an AdmissionReview of `admission.k8s.io/v1`. */
export function review(path: string, text: string): unknown {
  const { request } = JSON.parse(text) as { readonly request: ReviewRequest }
  const answer = path === WEBHOOK_PATHS.defaulting ? defaulted(request) : validated(request)
  const response = { uid: request.uid, ...answer }
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }
}

function validated({ object }: ReviewRequest): Record<string, unknown> {
  try {
    if (object !== undefined) checkService(object)
    return { allowed: true }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const { code, reason, message } = error
    return { allowed: false, status: { code, reason, message: message.replace(DENIED, '') } }
  }
}

interface TemplatePart {
  readonly spec?: {
    readonly enableServiceLinks?: boolean
    readonly containers?: readonly { readonly name?: string; readonly readinessProbe?: unknown }[]
  }
}

function defaulted({ object, userInfo }: ReviewRequest): Record<string, unknown> {
  const { spec, metadata } = object ?? {}
  const { template, traffic } = (spec ?? {}) as {
    readonly template?: TemplatePart
    readonly traffic?: unknown
  }
  const container = template?.spec?.containers?.[0]
  const by = userInfo?.username ?? ''
  const [creator, modifier] = ['serving.knative.dev/creator', 'serving.knative.dev/lastModifier']
  const annotations = {
    ...metadata?.annotations,
    [creator]: metadata?.annotations?.[creator] ?? by,
    [modifier]: by,
  }
  const added: Readonly<Record<string, unknown>> = {
    '/metadata/annotations': annotations,
    ...(traffic === undefined ? { '/spec/traffic': [{ latestRevision: true, percent: 100 }] } : {}),
    ...(template?.spec?.enableServiceLinks === undefined
      ? { '/spec/template/spec/enableServiceLinks': false }
      : {}),
    ...(container?.name === undefined ? { '/spec/template/spec/containers/0/name': WORKER_CONTAINER } : {}),
    ...(container?.readinessProbe === undefined
      ? {
          '/spec/template/spec/containers/0/readinessProbe': {
            successThreshold: 1,
            tcpSocket: { port: 0 },
          },
        }
      : {}),
  }
  // a Service without a container gets none: the other webhook says so
  const patch = Object.entries(container === undefined ? {} : added).map(([path, value]) => ({
    op: 'add',
    path,
    value,
  }))
  return {
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  }
}

/** What the API server is told of them, as Knative's installation does. */
export function webhookConfigurations(origin: string, certificate: string): readonly unknown[] {
  const caBundle = Buffer.from(certificate).toString('base64')
  const of = (name: string, path: string) => ({
    name,
    admissionReviewVersions: ['v1'],
    clientConfig: { url: `${origin}${path}`, caBundle },
    failurePolicy: 'Fail',
    sideEffects: 'None',
    timeoutSeconds: 10,
    rules: [
      {
        apiGroups: ['serving.knative.dev'],
        apiVersions: ['*'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['services'],
        scope: '*',
      },
    ],
  })
  const [defaulting, validation] = [
    'webhook.serving.knative.dev',
    'validation.webhook.serving.knative.dev',
  ] as const
  return [
    {
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: defaulting },
      webhooks: [of(defaulting, WEBHOOK_PATHS.defaulting)],
    },
    {
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: validation },
      webhooks: [of(validation, WEBHOOK_PATHS.validation)],
    },
  ].map(one => ({ apiVersion: 'admissionregistration.k8s.io/v1', ...one }))
}
