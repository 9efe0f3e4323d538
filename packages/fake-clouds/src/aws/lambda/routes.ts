/** Operations of the Lambda API that this cloud has: method and path. From: the service's model in the SDK. */
const ROUTES: readonly (readonly [operation: string, method: string, path: RegExp])[] = [
  ['Invoke', 'POST', /^\/2015-03-31\/functions\/([^/]+)\/invocations$/],
  ['CreateFunction', 'POST', /^\/2015-03-31\/functions\/?$/],
  ['ListFunctions', 'GET', /^\/2015-03-31\/functions\/?$/],
  ['GetFunction', 'GET', /^\/2015-03-31\/functions\/([^/]+)$/],
  ['DeleteFunction', 'DELETE', /^\/2015-03-31\/functions\/([^/]+)$/],
  ['GetFunctionConfiguration', 'GET', /^\/2015-03-31\/functions\/([^/]+)\/configuration$/],
  ['UpdateFunctionConfiguration', 'PUT', /^\/2015-03-31\/functions\/([^/]+)\/configuration$/],
  ['UpdateFunctionCode', 'PUT', /^\/2015-03-31\/functions\/([^/]+)\/code$/],
  ['PublishVersion', 'POST', /^\/2015-03-31\/functions\/([^/]+)\/versions$/],
  ['ListVersionsByFunction', 'GET', /^\/2015-03-31\/functions\/([^/]+)\/versions$/],
  ['PutFunctionEventInvokeConfig', 'PUT', /^\/2019-09-25\/functions\/([^/]+)\/event-invoke-config$/],
  ['UpdateFunctionEventInvokeConfig', 'POST', /^\/2019-09-25\/functions\/([^/]+)\/event-invoke-config$/],
  ['GetFunctionEventInvokeConfig', 'GET', /^\/2019-09-25\/functions\/([^/]+)\/event-invoke-config$/],
  ['DeleteFunctionEventInvokeConfig', 'DELETE', /^\/2019-09-25\/functions\/([^/]+)\/event-invoke-config$/],
  ['PutFunctionConcurrency', 'PUT', /^\/2017-10-31\/functions\/([^/]+)\/concurrency$/],
  ['DeleteFunctionConcurrency', 'DELETE', /^\/2017-10-31\/functions\/([^/]+)\/concurrency$/],
  ['GetFunctionConcurrency', 'GET', /^\/2019-09-30\/functions\/([^/]+)\/concurrency$/],
  ['PutFunctionRecursionConfig', 'PUT', /^\/2024-08-31\/functions\/([^/]+)\/recursion-config$/],
  ['GetFunctionRecursionConfig', 'GET', /^\/2024-08-31\/functions\/([^/]+)\/recursion-config$/],
  ['ListLayers', 'GET', /^\/2018-10-31\/layers\/?$/],
  ['PublishLayerVersion', 'POST', /^\/2018-10-31\/layers\/([^/]+)\/versions$/],
  ['ListLayerVersions', 'GET', /^\/2018-10-31\/layers\/([^/]+)\/versions$/],
  ['GetLayerVersion', 'GET', /^\/2018-10-31\/layers\/([^/]+)\/versions\/([^/]+)$/],
  ['DeleteLayerVersion', 'DELETE', /^\/2018-10-31\/layers\/([^/]+)\/versions\/([^/]+)$/],
  ['GetAccountSettings', 'GET', /^\/2016-08-19\/account-settings\/?$/],
  ['TagResource', 'POST', /^\/2017-03-31\/tags\/([^/]+)$/],
  ['UntagResource', 'DELETE', /^\/2017-03-31\/tags\/([^/]+)$/],
  ['ListTags', 'GET', /^\/2017-03-31\/tags\/([^/]+)$/],
]

export interface Route {
  readonly operation: string
  /** The variable parts of the path, decoded. */
  readonly parts: readonly string[]
}

export function routeOf(method: string, path: string, query: URLSearchParams): Route | undefined {
  for (const [operation, routeMethod, pattern] of ROUTES) {
    const match = routeMethod === method ? pattern.exec(path) : null
    if (match === null) continue
    const parts = match.slice(1).map(decodeURIComponent)
    if (operation === 'ListLayers' && query.get('find') === 'LayerVersion') {
      return { operation: 'GetLayerVersionByArn', parts: [query.get('Arn') ?? ''] }
    }
    return { operation, parts }
  }
  return undefined
}
